# H1 healthy: nightly backup + scrape gap + threshold flap; traffic and errors normal. No topology.
from common import *
b = B("market_history", 401, "2025-09-26T01:10:00", 110, 60, ids="t{n}", tz="+00:00")
b.chat_scale = 0.5; b.blip_p = .015
L = b.load(.3, 14); G = [(52, 58)]
for c, st, r, ms, rt in (("tick-store", "prom", 500, 9, "go"), ("bars-api", "prom", 70, 55, "jvm"), ("signals", "prom", 30, 130, None), ("desk-ui", "prom", 25, 240, "node")):
    b.svc(c, st, r, ms, .0008, load=L, rt=rt, gaps=G if c in ("bars-api", "signals") else (), reset=[66] if c == "desk-ui" else ())
b.pg("ticks-db", 40, 150, 24, 900, L, cpux=[add(30, 22, 2, 61)]); b.s("ticks-db", "node_disk_io_util_pct", 16, .1, fx=[add(30, 51, 2, 61)]); b.s("ticks-db", "node_disk_read_bytes", 1.1e7, .1, fx=[mul(30, 14, 1, 61)]); b.s("backup-agent", "bytes_sent", 0, 0, kind="k", fx=[add(30, 1.5e8, 0, 61, 0)])
b.chat("tick-store", 2, "go"); b.chat("bars-api", 1.6, "spring"); b.chat("signals", 1.4, "py"); b.chat("desk-ui", 1.6, "node"); b.chat("ticks-db", .8, "pg"); b.chat("backup-agent", 1, ["I basebackup part {#1-400} sent {#80-200}MB"], 30, 61); b.log(52.3, "signals", "I prometheus agent restarted, remote write resumed after 6m"); b.log(66.2, "desk-ui", "I listening on 8080 build 511"); b.log(61, "backup-agent", "I basebackup finished ok 0 errors")
d1 = b.change(50.8, "deploy", "bars-api", "bars-api 2.12.1: smaller log lines", diff=D("bars/src/main/resources/logback.xml", "-    <pattern>%d %-5level [%thread] %logger{60} %X - %msg%n</pattern>\n+    <pattern>%d %-5level %logger{20} - %msg%n</pattern>", 6))
d2 = b.change(65.6, "deploy", "desk-ui", "desk-ui 511: chart colours", diff=D("desk-ui/src/theme.ts", "-  up: \"#2a2\",\n+  up: \"#1f9d55\",\n   down: \"#c33\",", 12))
d3 = b.change(50.2, "config", "bars-api", "prometheus agent chart 2.1 -> 2.2 on node pool b", diff=D("helm/prom-agent/Chart.yaml", " name: prom-agent\n-version: 2.1.0\n+version: 2.2.0", 2))
b.bg(4, ["tick-store", "signals"], -60, 100)
b.alert(54, "TargetMissing", "warning", "no samples from bars-api and signals", "absent(up) for 2m", service="bars-api", ends=59); b.alert(34, "TicksDbDiskUtil", "info", "disk util above 60%", "", service="ticks-db", ends=63)
b.done("market data history", "false alarm: scrape gap and nightly backup", [], [], None, [d1, d2, d3], None, "samples are missing for six minutes while logs go on and all rates, errors and latencies are the same on both sides; the disk load is the scheduled backup.", healthy=True, no=("topology",), opened=55.2)
