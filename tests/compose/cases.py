"""Small compose files of our own, one feature each, for the comparison with docker compose.

A case is a dict: files {name: text}, args (default: -f compose.yaml), env, oracles (default
both), fails (True: both must refuse, with the exit code of 2.26 where that is the oracle).
"""

import textwrap


def case(text="", **more):
    files = {"compose.yaml": textwrap.dedent(text)} if text else {}
    files.update({name: textwrap.dedent(body) for name, body in more.pop("files", {}).items()})
    return {"files": files, **more}


def service(body, **more):
    """A case with one service s that has an image."""
    text = "services:\n  s:\n    image: i\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"
    tail = textwrap.dedent(more.pop("tail", ""))
    return case(text + tail, **more)


CASES = {
    # -- short forms (REFERENCE 1.13)
    "ports": service("""
        ports: ["80", 81, "8080:80", "127.0.0.1:5000:5000/udp", "3000-3001:4000-4001", "9000-9002:80", ":82",
                "53:53/tcp/udp", "[::1]:8081:83", "6001-6010", {target: 90, published: 91},
                {target: 92, published: "93-94", mode: host, protocol: udp, host_ip: 127.0.0.1, name: web, app_protocol: http}]
        """),
    "port too large": service('ports: ["70000:80"]', fails=True),
    "port ranges differ": service('ports: ["1-3:5-9"]', fails=True),
    "port is a word": service('ports: ["a:b"]', fails=True),
    "mounts": service("""
        volumes: ["/d", "/data", "vol:/v:ro", "way:/w/:nocopy", "./a:/a:z,ro", "/b/c:/b:rshared", "~/x:/x", "..:/up", "v:/x2",
                  {type: bind, source: ./e, target: /e}, {type: bind, source: ./f, target: /f, bind: {create_host_path: true, propagation: slave}},
                  {type: volume, source: vol, target: /g, volume: {nocopy: true, subpath: s}}, {type: tmpfs, target: /t, tmpfs: {size: 64m, mode: 448}}]
        """, tail="volumes: {vol: , way: {}, v: }\n"),
    "mount twice": service('volumes: ["./a:/x", "./b:/x"]'),
    "mount without source": service("volumes: [{type: bind, target: /x}]", fails=True),
    "mount with too many colons": service('volumes: ["/a:/b:ro:x:y"]', fails=True),
    "undefined volume": service('volumes: ["ghost:/x"]', fails=True),
    "environment list and map": case("""
        services:
          a: {image: i, environment: [A=1, B, C=, "D=x=y", HOME_IS_NOT_SET_HERE]}
          b: {image: i, environment: {A: 1, B: , C: true, D: 1.50, E: 1e3, F: 017, G: 0b11, H: "01", J: 1_000, K: 1234567.0, L: ~, M: 1e-7}}
        """, env={"B": "from process"}),
    "command forms": case(r"""
        services:
          a: {image: i, command: "sh -c 'echo \"a  b\"' c\\ d \"x'y\""}
          b: {image: i, command: "", entrypoint: []}
          c: {image: i, command: , entrypoint: ["a", "b c"]}
          d: {image: i, command: "echo a && echo b"}
          e: {image: i, entrypoint: /run.sh --x="1 2"}
        """),
    "healthcheck": case("""
        services:
          a: {image: i, healthcheck: {test: exit 0, interval: 90s, timeout: 1500ms, retries: 3, start_period: 1h0m1.5s}}
          b: {image: i, healthcheck: {test: [CMD, "true"], interval: 0s}}
          c: {image: i, healthcheck: {disable: true}}
          d: {image: i, healthcheck: {test: [NONE]}}
        """),
    "healthcheck test without CMD": service("healthcheck: {test: [curl, x]}", fails=True),
    "duration without unit": service('healthcheck: {test: x, interval: "90"}', fails=True),
    "duration as a number": service("stop_grace_period: 90", fails=True),
    "sizes": service("""
        mem_limit: 64m
        mem_reservation: 1.5 kb
        memswap_limit: -1
        shm_size: 1gb
        """),
    "bad size": service("mem_limit: 12q", fails=True),
    "limits": service("""
        cpus: 0.5
        cpu_shares: 73
        cpu_count: "2"
        cpuset: 0,1
        pids_limit: 10
        oom_score_adj: 5
        oom_kill_disable: true
        ulimits: {nproc: 55, nofile: {soft: 100, hard: 200}}
        """),
    "hosts": case("""
        services:
          a: {image: i, extra_hosts: ["b.example=10.0.0.2", "a.example:10.0.0.1", "six=[::1]", "two=1.1.1.1,2.2.2.2"]}
          b: {image: i, extra_hosts: {c: 10.0.0.3}}
        """),
    "lists and strings": service("""
        dns: 1.1.1.1
        dns_search: [a.example, b.example]
        tmpfs: /run
        expose: [80, "81", "82/udp"]
        cap_add: [NET_ADMIN]
        devices: ["/dev/a", "/dev/b:/dev/c", "/dev/d:/dev/e:r"]
        labels: {a: 1, b: , c: true}
        sysctls: [net.core.somaxconn=1024]
        annotations: {x: "1"}
        logging: {driver: json-file, options: {max-size: 10m, max-file: 3}}
        security_opt: ["label=disable"]
        group_add: [mail, 1000]
        init: true
        tty: true
        stdin_open: true
        privileged: true
        read_only: true
        user: "1001:1001"
        working_dir: /x
        hostname: h
        domainname: d
        platform: linux/amd64
        stop_signal: SIGUSR1
        stop_grace_period: 1m30s
        restart: on-failure:3
        pull_policy: if_not_present
        """),
    "networks": case("""
        services:
          a: {image: i, networks: [front, back]}
          b: {image: i, networks: {front: {aliases: [x, y], ipv4_address: 172.16.238.10, priority: 5}, back: }}
          c: {image: i, network_mode: host}
          d: {image: i, network_mode: "service:a"}
        networks:
          front: {driver: bridge, ipam: {driver: default, config: [{subnet: 172.16.238.0/24, gateway: 172.16.238.1, aux_addresses: {h: 172.16.238.5}}]}, labels: [a=b]}
          back: {internal: true, name: mine, driver_opts: {com.docker.network.driver.mtu: 1400}, enable_ipv6: true}
          unused: {external: true}
        """),
    "external resources": case("""
        services:
          a: {image: i, networks: [n, m], volumes: ["vol:/v"]}
        networks: {n: {external: true}, m: {external: true, name: real}}
        volumes: {vol: {external: true, name: other}}
        """),
    "external volume with driver": service('volumes: ["v:/v"]', tail="volumes: {v: {external: true, driver: local}}\n", fails=True),
    "volume resources": service('volumes: ["vol:/v", "bnd:/b"]', tail="""
        volumes:
          vol: {driver: local, driver_opts: {type: nfs, o: "addr=10.0.0.1,rw", device: ":/x", size: 5}, labels: {a: b}}
          bnd: {driver: local, driver_opts: {type: none, o: bind, device: ./data}}
        """),
    "secrets and configs": case("""
        services:
          a:
            image: i
            secrets: [s, {source: t, target: named, uid: "1", gid: "2"}]
            configs: [c, {source: e, target: /etc/e}]
        secrets: {s: {file: ./s.txt}, t: {environment: TOKEN}}
        configs: {c: {content: "a $${b} ${C:-d}"}, e: {environment: TOKEN}}
        """, env={"TOKEN": "hidden"}),
    "secret without source": service("secrets: [z]", tail="secrets: {z: {}}\n", fails=True),
    "undefined secret": service("secrets: [z]", fails=True),
    "deploy": service("""
        scale: 2
        deploy:
          replicas: 2
          mode: replicated
          labels: {a: b}
          resources: {limits: {cpus: "0.5", memory: 64m, pids: 5}, reservations: {memory: 32M, devices: [{driver: nvidia, capabilities: [gpu]}]}}
          restart_policy: {condition: on-failure, delay: 5s, max_attempts: 3, window: 2m}
          update_config: {parallelism: 2, delay: 10s, order: start-first, max_failure_ratio: 0.25}
          placement: {constraints: [node.role == manager], preferences: [{spread: node.labels.zone}], max_replicas_per_node: 1}
        """),
    "scale and replicas differ": service("scale: 2\ndeploy: {replicas: 3}", fails=True),
    "container_name with scale": service("scale: 2\ncontainer_name: one", fails=True),
    "build": case("""
        services:
          a: {build: .}
          b: {build: {context: ./b, dockerfile: D, args: {A: 1, B: }, target: t, labels: {x: y}, cache_from: [c], no_cache: true, shm_size: 64m}}
          c: {image: i, build: {context: https://github.com/x/y.git, args: [A=1, UNSET]}}
        """),
    # -- dependencies, profiles (1.10, 1.12, 1.14)
    "dependencies": case("""
        services:
          a: {image: i, depends_on: [b, c]}
          b: {image: i, depends_on: {c: {condition: service_healthy, restart: true}, d: {condition: service_completed_successfully, required: false}}}
          c: {image: i}
          d: {image: i, profiles: [p]}
          e: {image: i, links: [a, "b:db"], volumes_from: ["c:ro"], ipc: "service:a", pid: "service:b"}
        """),
    "dependency cycle": case("services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}", fails=True),
    "unknown dependency": service("depends_on: [ghost]", fails=True),
    "dependency in a profile that is off": case("services: {a: {image: i, depends_on: [b]}, b: {image: i, profiles: [p]}}", fails=True),
    "profile flag": case("services: {a: {image: i}, b: {image: i, profiles: [p, q]}, c: {image: i, profiles: [r]}}",
                         args=["-f", "compose.yaml", "--profile", "q"]),
    "profiles by variable": case("services: {a: {image: i}, b: {image: i, profiles: [p, q]}, c: {image: i, profiles: [r]}}",
                                 env={"COMPOSE_PROFILES": " q , r"}),
    "all profiles": case('services: {a: {image: i}, b: {image: i, profiles: [p]}}', args=["-f", "compose.yaml", "--profile", "*"]),
    "empty profile": case('services: {a: {image: i, profiles: [""]}, b: {image: i}}'),
    "selected service": case("services: {a: {image: i, depends_on: [b]}, b: {image: i}, c: {image: i}, d: {image: i, profiles: [p]}}",
                             words=["a", "d"]),
    "selected service is unknown": case("services: {a: {image: i}}", words=["ghost"], fails=True),
    "no image": case("services: {a: {command: x}}", fails=True),
    "network_mode and networks": service("network_mode: host\nnetworks: [n]", tail="networks: {n: }\n", fails=True),
    "undefined network": service("networks: [n]", fails=True),
    # -- YAML (1.7)
    "anchors and merge keys": case("""
        x-env: &env {A: 1, B: "2"}
        x-more: &more {B: 3, C: 4}
        x-base: &base
          image: i
          environment: *env
        services:
          a: {<<: *base}
          b: {<<: *base, environment: {<<: [*more, *env], D: 5}}
          c: {<<: [*base], image: other}
        """),
    "multi-line strings": case("""
        services:
          a:
            image: i
            command:
              - |
                if [ -f "x" ]; then
                  echo "$${A}"
                fi
              - >
                folded
                line
              - "tab\\tand \\u00e9 é <&>"
        """),
    "rare keys": service("""
        mem_swappiness: 60
        blkio_config: {weight: 300, weight_device: [{path: /dev/sda, weight: 400}], device_read_bps: [{path: /dev/sdb, rate: 12mb}]}
        credential_spec: {file: my.json}
        gpus: all
        develop: {watch: [{path: ./a, action: rebuild}, {path: ./b, action: sync, target: /b, ignore: [x]}]}
        post_start: [{command: a b, user: root, environment: {A: 1}}]
        pre_stop: [{command: [c], privileged: true}]
        storage_opt: {size: 1G}
        runtime: runc
        userns_mode: host
        uts: host
        cgroup: private
        cgroup_parent: m
        isolation: default
        device_cgroup_rules: ["c 1:3 mr"]
        external_links: [redis_1]
        mac_address: 02:42:ac:11:65:43
        attach: false
        cpu_percent: 50
        cpu_period: 10000
        cpu_rt_runtime: "400"
        """),
    "volume_driver is no key": service("volume_driver: local", fails=True),
    "null deploy": service("deploy: "),
    "null environment": service("environment: ", fails=True),
    "null healthcheck": service("healthcheck: ", fails=True),
    "null networks": service("networks: ", fails=True),
    "null top level": case("services: {s: {image: i}}\nvolumes: \n", fails=True),
    "several documents": case("""
        services: {a: {image: i, environment: {A: 1}}}
        ---
        services: {a: {environment: {B: 2}}, b: {image: j}}
        """),
    "yaml words": case('services: {a: {image: i, environment: {A: yes, B: no, C: on, D: True, E: Null, F: 22:22, G: 08, H: 0o17, I: .5, J: +1}}}'),
    "duplicate key": case("services:\n  a: {image: i}\n  a: {image: j}\n", fails=True),
    "broken yaml": case("services: {a: {image: i}\n", fails=True),
    "number as key": case("services:\n  1: {image: i}\n", fails=True),
    "unknown key": service("imagee: x", fails=True),
    "unknown top-level key": case("services: {a: {image: i}}\nservces: {}\n", fails=True),
    "wrong type": service("ports: 80", fails=True),
    "image is a number": case("services: {a: {image: 5}}", fails=True),
    "infinity": service("environment: {A: .inf}", fails=True, oracles=["2.26"]),  # 2.40 takes it
    "date": service("environment: {A: 2024-01-01, B: 2024-01-01T10:20:30Z, C: 2024-01-01 10:20:30.50, D: 2024-13-01}", oracles=["2.26"]),  # 2.40 refuses it
    "extensions": case("x-a: {b: [1, 2.5, true, null, t]}\nservices: {a: {image: i, x-c: 1}}\nnetworks: {default: {x-d: 1}}\n"),
    "version is obsolete": case('version: "3.8"\nservices: {a: {image: i}}\n'),
    "empty file": case("# nothing\n", fails=True),
    # -- interpolation (1.6)
    "interpolation": case("""
        services:
          s:
            image: i
            environment:
              a: "${N:-${M:-deep}}"
              b: "${N:-a${A}b${A}c}"
              c: "${N:-$$A}"
              d: "${N:-{}}"
              e: "${N:-a}b}"
              f: "${N:-a:-b}"
              g: "${N:-http://x:1/a?b=c}"
              h: "${N:-'q'}"
              i: "$$A $${A} $$$A"
              j: "$ a$ $1"
              k: "$A.B"
              l: "${E?msg}|${E:-x}|${E-x}|${A:+r}|${E:+r}|${E+r}|${N+r}"
              m: "${N}"
              n: "${A}-${N:-x}-${A:+${A}y}"
              o: "{${A}} ${N:-{a}} ${N:-}}"
        """, env={"A": "a", "E": ""}),
    "required variable": case('services: {s: {image: "${N:?not there}"}}', fails=True),
    "required variable is empty": case('services: {s: {image: "${E:?}"}}', env={"E": ""}, fails=True),
    "bad interpolation": case('services: {s: {image: "${A!}"}}', fails=True),
    "open brace": case('services: {s: {image: "${A"}}', fails=True),
    "casts": case("""
        services:
          s:
            image: i
            init: "${T}"
            tty: "yes"
            cpus: "${C}"
            scale: "${N}"
            pids_limit: "${N}"
            ports: [{target: "${P}", published: "${P}"}]
            ulimits: {nofile: {soft: "${N}", hard: "${N}"}}
            deploy: {replicas: "${N}"}
            healthcheck: {retries: "${N}", test: x}
            environment: {A: "${N}", B: "${C}"}
            volumes: [{type: bind, source: /a, target: /b, read_only: "${T}"}]
        """, env={"T": "true", "C": "0.5", "N": "3", "P": "80"}),
    "bad boolean": service("tty: maybe", fails=True),
    "bad integer": service('scale: "x"', fails=True),
    # -- several files (1.8)
    "merge": case(files={
        "one.yaml": """
            services:
              s:
                image: i
                command: [a]
                environment: {A: 1, B: 2}
                labels: [x=1]
                ports: ["80:80", "81:81"]
                volumes: ["./a:/a", "vol:/v"]
                expose: [1]
                cap_add: [X]
                dns: 1.1.1.1
                depends_on: [t]
                networks: [n]
                logging: {driver: json-file, options: {a: "1"}}
                healthcheck: {test: [CMD, a], interval: 5s}
                extra_hosts: ["h=1.1.1.1"]
                ulimits: {nofile: {soft: 1, hard: 2}}
                env_file: one.env
                sysctls: {a: 1}
                tmpfs: /t
              t: {image: t}
            networks: {n: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}
            volumes: {vol: {labels: {a: 1}}}
            """,
        "two.yaml": """
            services:
              s:
                image: j
                command: [b, c]
                environment: ["B=3", "C=4"]
                labels: {x: 2, y: 3}
                ports: ["82:82", "80:80"]
                volumes: ["./b:/a:ro", "way:/w"]
                expose: [1, 2]
                cap_add: [Y, X]
                dns: [1.1.1.1, 2.2.2.2]
                depends_on: {t: {condition: service_healthy}, u: {condition: service_started}}
                networks: {n: {aliases: [z]}, m: }
                logging: {driver: json-file, options: {b: "2"}}
                healthcheck: {test: [CMD, b], retries: 2}
                extra_hosts: ["h=1.1.1.1", "h=2.2.2.2"]
                ulimits: {nofile: 5}
                env_file: [two.env, one.env]
                sysctls: [a=2, b=3]
                tmpfs: [/t, /u]
              u: {image: u}
            networks: {n: {ipam: {config: [{subnet: 10.0.0.0/24, gateway: 10.0.0.1}]}}, m: }
            volumes: {way: , vol: {labels: [b=2]}}
            """,
        "one.env": "E1=1\nE2=1\nB=never\n",
        "two.env": "E2=2\nE3=$E1\n",
    }, args=["-f", "one.yaml", "-f", "two.yaml"]),
    "merge with another logging driver": case(files={
        "one.yaml": "services: {s: {image: i, logging: {driver: a, options: {x: y}}}}",
        "two.yaml": "services: {s: {logging: {driver: b}}}"}, args=["-f", "one.yaml", "-f", "two.yaml"]),
    "null in an override": case(files={
        "one.yaml": "services: {s: {image: i, command: [a], environment: {A: 1}}}",
        "two.yaml": "services: {s: {command: , environment: {A: , B: }}}"}, args=["-f", "one.yaml", "-f", "two.yaml"]),
    "type clash": case(files={
        "one.yaml": "services: {s: {image: i, healthcheck: {test: x}}}",
        "two.yaml": "services: {s: {healthcheck: [x]}}"}, args=["-f", "one.yaml", "-f", "two.yaml"], fails=True),
    "reset and override": case(files={
        "one.yaml": """
            services:
              s: {image: i, command: [a], environment: {A: 1, B: 2}, ports: ["80:80"], depends_on: [gone]}
              gone: {image: x}
            """,
        "two.yaml": """
            services:
              s: {command: !reset null, environment: {A: !reset null}, ports: !override ["90:90"], depends_on: !reset []}
              gone: !reset null
            """}, args=["-f", "one.yaml", "-f", "two.yaml"]),
    # -- extends, include (1.9)
    "extends": case(files={
        "compose.yaml": """
            services:
              a: {extends: b, environment: {A: 2}, ports: ["81:81"]}
              b: {image: i, environment: {A: 1, B: 1}, ports: ["80:80"], volumes: ["./b:/b"], labels: {x: y}}
              c: {extends: {file: sub/base.yaml, service: base}, command: [c]}
            """,
        "sub/base.yaml": """
            services:
              base: {extends: root, volumes: ["./data:/data"], env_file: base.env}
              root: {image: "${IMAGE:-root}", environment: [R=1]}
            """,
        "sub/base.env": "FROM_BASE=1\n"}),
    "extends a ghost": case("services: {a: {image: i, extends: ghost}}", fails=True),
    "extends in a circle": case("services: {a: {image: i, extends: b}, b: {image: i, extends: a}}", fails=True),
    "include": case(files={
        "compose.yaml": """
            include: [inner/compose.yaml, {path: [other/a.yaml, other/b.yaml], project_directory: other, env_file: other/x.env}]
            services: {a: {image: i, depends_on: [inner, other]}}
            """,
        "inner/compose.yaml": """
            services: {inner: {image: "inner:${TAG}", volumes: ["./d:/d", "vol:/v"], env_file: i.env}}
            volumes: {vol: }
            """,
        "inner/.env": "TAG=7\n", "inner/i.env": "I=$TAG\n",
        "other/a.yaml": "services: {other: {image: 'o:${X}', volumes: ['./o:/o']}}",
        "other/b.yaml": "services: {other: {command: [b]}}", "other/x.env": "X=9\n"}),
    "include with a conflict": case(files={
        "compose.yaml": "include: [inner.yaml]\nservices: {a: {image: i}}\n", "inner.yaml": "services: {a: {image: other}}"}, fails=True),
    "include in a circle": case(files={
        "compose.yaml": "include: [inner.yaml]\nservices: {a: {image: i}}\n", "inner.yaml": "include: [compose.yaml]\nservices: {b: {image: i}}\n"}, fails=True),
    # -- env files (1.4, 1.11)
    "env_file": case(files={
        "compose.yaml": """
            services:
              s: {image: i, env_file: [a.env, {path: b.env, required: true}, {path: ghost.env, required: false}], environment: {B: own, C: , D: }}
            """,
        "a.env": "A=1\nB=1\nC=1\nP=${FROM_PROCESS}\n", "b.env": "Q=$A\nB=2\n"}, env={"FROM_PROCESS": "p", "D": "d"}),
    # 2.40 looks into the file itself first
    "env_file looks into the earlier files first": case(files={
        "compose.yaml": "services: {s: {image: i, env_file: [a.env, b.env]}}", "a.env": "A=1\n", "b.env": "A=2\nB=$A\n"}, oracles=["2.26"]),
    "env_file is missing": service("env_file: ghost.env", fails=True),
    "dotenv": case(files={
        "compose.yaml": "services: {s: {image: i, env_file: x.env}}",
        "x.env": "# comment\nA=1\n  B = two words  \nexport C='single $A \\n'\nD=\"double $A \\n\\t\\\"q\\\" \\$A\"\nE=a#b # comment\nF= #c\nG:yaml\n"
                 "H='multi\nline'\nI=a\\nb\nJ=\"x\"y\nK=${A}-${N:-d}\nL=$$A\nM=\nINHERIT\nABSENT\nN.x-y[0]=1\nA2=\"\"\nZ=${A:+set}\n"},
        env={"INHERIT": "yes"}),
    "dotenv with windows lines": case(files={"compose.yaml": "services: {s: {image: i, env_file: x.env}}", "x.env": "\ufeffA=1\r\nB='x'\r\n"}),
    "dotenv with an open quote": case(files={"compose.yaml": "services: {s: {image: i, env_file: x.env}}", "x.env": "A=\"x\n"}, fails=True),
    "dotenv with a bad name": case(files={"compose.yaml": "services: {s: {image: i, env_file: x.env}}", "x.env": "A*=1\n"}, fails=True),
    "default .env": case(files={"compose.yaml": "services: {s: {image: '${A}-${B}-${C}'}}", ".env": "A=1\nB=$A\nC=file\n"}, env={"C": "process"}, args=[]),
    "--env-file twice": case(files={"compose.yaml": "services: {s: {image: '${A}-${B}'}}", ".env": "A=no\n", "x.env": "A=1\nB=1\n", "y.env": "B=2$A\n"},
                             args=["--env-file", "x.env", "--env-file", "y.env"]),
    "--env-file is missing": case("services: {s: {image: i}}", args=["--env-file", "ghost.env"], fails=True),
    # -- files and names (1.2, 1.3)
    "discovery and override": case(files={"docker-compose.yml": "services: {s: {image: i}}", "compose.override.yaml": "services: {s: {command: [x]}}"}, args=[]),
    "no override with -f": case(files={"compose.yaml": "services: {s: {image: i}}", "compose.override.yaml": "services: {s: {command: [x]}}"}),
    "COMPOSE_FILE": case(files={"a.yaml": "services: {s: {image: i}}", "b.yaml": "services: {t: {image: j}}", ".env": "COMPOSE_FILE=a.yaml:b.yaml\n"}, args=[]),
    "file in a folder": case(files={"sub/c.yaml": "services: {s: {image: '${A:-none}', volumes: ['./x:/x']}}", "sub/.env": "A=sub\n", ".env": "A=top\n"},
                             args=["-f", "sub/c.yaml"]),
    "project directory": case(files={"sub/c.yaml": "services: {s: {image: i, volumes: ['./x:/x']}}"}, args=["-f", "sub/c.yaml", "--project-directory", "elsewhere"]),
    "file is missing": case(files={"compose.yaml": ""}, args=["-f", "ghost.yaml"], fails=True),
    "name in the file": case("name: My ${X:-App}.1\nservices: {s: {image: '${COMPOSE_PROJECT_NAME}', networks: [n]}}\nnetworks: {n: }\n"),
    "name by flag": case("name: other\nservices: {s: {image: '${COMPOSE_PROJECT_NAME}'}}\n", args=["-f", "compose.yaml", "-p", "mine"]),
    "bad name": case("services: {s: {image: i}}", args=["-f", "compose.yaml", "-p", "My"], fails=True),
    "name by variable": case("services: {s: {image: i}}", env={"COMPOSE_PROJECT_NAME": "by-env"}),
}
