"""The network between PostgreSQL and whoever asks for it here: a line that may be cut for a while."""
import socket
import threading
import time


class Line:
    """Listens on the address of `to` (host, port). While it is cut nothing passes, and nobody is told."""

    def __init__(self, to):
        self.to, self.server_sides = to, set()
        self.whole = threading.Event()
        self.whole.set()
        self.listener = socket.create_server((to[0], 0))
        self.port = self.listener.getsockname()[1]
        self.spares = lambda peer: False
        threading.Thread(target=self.accept, daemon=True).start()

    def cut(self, spares=lambda peer: False):
        """`spares`: peers, by address, that are not cut off."""
        self.spares = spares
        self.whole.clear()

    def server_gives_up(self):
        """What its keepalives do within a minute: the sessions of who is cut off end."""
        for peer, side in list(self.server_sides):
            if not self.passes(peer):
                side.shutdown(socket.SHUT_RDWR)

    def heal(self):
        self.whole.set()

    def close(self):
        self.heal()
        self.listener.close()

    def passes(self, peer):
        return self.whole.is_set() or self.spares(peer)

    def wait(self, peer):
        while not self.passes(peer):
            time.sleep(0.02)

    def accept(self):
        while True:
            try:
                client, (peer, _) = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client, peer), daemon=True).start()

    def serve(self, client, peer):
        self.wait(peer)
        try:
            server = socket.create_connection(self.to, timeout=10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        self.server_sides.add((peer, server))
        back = threading.Thread(target=self.pump, args=(server, client, peer), daemon=True)
        back.start()
        self.pump(client, server, peer)
        back.join()
        self.server_sides.discard((peer, server))
        client.close()
        server.close()

    def pump(self, source, target, peer):
        try:
            while data := source.recv(65536):
                self.wait(peer)
                target.sendall(data)
        except OSError:
            pass
        self.wait(peer)
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
