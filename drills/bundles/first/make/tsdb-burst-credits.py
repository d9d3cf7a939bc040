from common import *
B = Bundle("tsdb-burst-credits", 128, "device-metrics", "2025-08-28T08:00:00Z", 300, 60, peak=15)
T = 196.0
B.drop.update(["logs", "topology"])
B.change("tm-90", "deploy", 189.0, "query-api", "query-api 90: group by device model", diff=D("query/group.go", "@@ -27,4 +27,6 @@ var groupable = map[string]bool{\n \t\"site\":     true,\n \t\"firmware\": true,\n+\t\"model\":    true,\n }\n"), boot=True, lang="go")
B.change("tm-91", "config", 193.0, "ingest", "ingest: flush interval 5s -> 6s", diff=D("ingest/config.toml", "@@ -5,2 +5,2 @@\n-flush_interval = \"5s\"\n+flush_interval = \"6s\""))
B.change("tm-87", "deploy", -60, "dashboard", "dashboard 87: map tiles", files=["web/map.ts"])
B.change("crm-3", "commit", 140, "sites", "sites: import tenant 'harbour' (14,000 devices) planned for tomorrow", diff=D("tenants/harbour.yaml", "@@ -0,0 +1,4 @@\n+name: harbour\n+devices: 14000\n+active_from: 2025-08-29\n+plan: standard"))
B.filler(1, -400, 180, ["dashboard", "ingest", "sites"], "tm-0")
day = curve([(0, .5), (75, 1), (300, 1.12)])
load = lambda t: 1450 * day(t, 1) + 320 - 900
cum = [0]
for i in range(301): cum.append(cum[-1] + max(0, load(i)))
burst = lambda t, v: max(0, 100 * (1 - cum[int(t)] / cum[int(T)]))
C2 = dict(style="cw")
B.svc("ingest", 420, 6, 40, lang="go", **C2, fx=dict(rps=[day], p50=[mul(T, 9, ramp=4)], p99=[mul(T, 26, ramp=3)], err=[add(T + 4, .08, ramp=6)])); B.svc("query-api", 38, 90, 600, lang="go", **C2, fx=dict(p50=[mul(T, 7, ramp=4)], p99=[mul(T, 12, ramp=4)], err=[add(T + 3, .11, ramp=8)])); B.svc("dashboard", 70, 40, 220, lang="node", **C2, fx=dict(p99=[mul(T + 1, 8, ramp=4)], err=[add(T + 4, .03, ramp=6)])); B.svc("sites", 20, 18, 80, lang="jvm", **C2)
B.s("tsdb-volume", "BurstBalance", 100, 0, [burst], sig=3); B.s("tsdb-volume", "VolumeWriteOps", 1450, .04, [day, setv(T, 600, ramp=2)]); B.s("tsdb-volume", "VolumeReadOps", 320, .1, [setv(T, 290, ramp=2)]); B.s("tsdb-volume", "VolumeQueueLength", 2.1, .2, [setv(T, 61, ramp=3)]); B.s("tsdb-volume", "VolumeIOPSLimitBaseline", 900, 0, integer=True, gap=0); B.s("tsdb-volume", "VolumeWriteLatencyMs", 1.4, .12, [setv(T, 96, ramp=3)])
B.s("tsdb", "CPUUtilization", 46, .06, [mul(T, .7, ramp=4)], hi=100); B.s("tsdb", "CPUIOWait", 3.4, .2, [setv(T, 58, ramp=3)], hi=100); B.s("tsdb", "PointsPerSecond", 21000, .03, [day, mul(T, .49, ramp=4)], season=.3); B.s("tsdb", "SeriesCardinality", 2.41e6, .0005, [lambda t, v: v * (1 + t / 9000)], integer=True); B.s("tsdb", "FreeableMemoryMB", 5200, .02); B.s("tsdb", "StatusCheckFailed", 0, 0, integer=True)
B.s("sites-db", "BurstBalance", 99.8, 0, [every(120, .93, 4, 60)]); B.s("sites-db", "CPUUtilization", 11, .1); B.s("sites-db", "DatabaseConnections", 22, .04, integer=True)
B.alert(T + 6, "IngestLatency", "critical", "ingest", "ingest p99 above 500ms", label="component"); B.alert(T + 7, "QueryErrors", "critical", "query-api", "query-api 5xx above 5%", label="component")
B.finish(T + 8, "burst credits exhausted", ["capacity", "infrastructure"], ["tsdb-volume"], None, ["tm-90", "tm-91"], T, why="BurstBalance of the volume falls for 3 h while the working-day load stays above the 900 IOPS baseline and reaches 0 at the onset, ops are then capped at 900; releases a few minutes earlier cannot have drained it.", onset_from=190)
