# Healthy: nightly backup moves disk and replica lag, an alert with a tight threshold fires. Users see nothing.
from common import *
b = Bundle("healthy-nightly-backup", 311, "2025-04-14T00:30:00Z", 4, 60, "library-system", ["loans", "titles", "holds", "branches"])
d = b.day(.35, -120)
p = b.pulse(91, 128, 1.5)
b.svc("catalog-web", "prom", 26, 50, 330, traffic=d); b.svc("loans-api", "prom", 14, 35, 240, traffic=d); b.svc("search", "prom", 20, 60, 300, traffic=d); b.svc("auth", "prom", 9, 12, 80, traffic=d); b.svc("notify", "statsd", 3, 90, 600, traffic=d)
b.g("pg-main", "node_disk_io_util", .14, .2, 1 + 4 * p, hi=1); b.g("pg-main", "pg_connections", 48, .06, dec=0); b.c("pg-main", "pg_xact_commit", 140, mul=d); b.k("pg-main", "pg_deadlocks", 2); b.g("pg-replica", "replication_lag_s", .4, .5, add=31 * p * b.ramp(91, 120)); b.g("pg-replica", "node_disk_io_util", .1, .2, 1 + 2 * p); b.g("backup", "backup_bytes_per_s", 0, add=9.1e7 * p, dec=-4); b.k("backup", "backup_last_exit", 0); b.g("pg-main", "node_network_tx_mbit", 60, .12, add=700 * p)
b.chat("catalog-web", "django", 260); b.chat("loans-api", "django", 190); b.chat("pg-main", "postgres", 140); b.chat("search", "go", 120); b.chat("auth", "go", 70)
b.log("backup", 90.8, "info", "pg_basebackup start label=nightly-20250414 rate=unlimited"); b.log("backup", 128.2, "info", "pg_basebackup done 198.4 GiB verify ok"); b.log("loans-api", 140, "WARNING", "retrying SMTP connection (1/5)"); b.burst("pg-main", "LOG", "checkpoints are occurring too frequently (24 seconds apart)", 95, 127, .3)
b.change("lib-302", "commit", 60, "loans-api", "maud", "holds: prefetch branch in queue view", ["holds/views.py"], diff("holds/views.py", '''@@ -22,5 +22,5 @@ class HoldQueue(ListAPIView):
-    queryset = Hold.objects.all()
+    queryset = Hold.objects.select_related("branch")
     serializer_class = HoldSerializer
'''))
b.change("lib-d-88", "deploy", 88, "loans-api", "ci", "loans-api 8.8", commit=b.chg[-1][1]["commit"]); b.change("lib-d-89", "deploy", 40, "search", "ci", "search 8.9"); b.change("lib-cfg-4", "config", 20, "pg-main", "dba", "max_wal_size 4GB -> 8GB", ["postgres/main.conf"], None); b.change("fl-covers", "flag", 101, "catalog-web", "maud", "cover images from the new host: 25%")
b.alert("ReplicaLag", "pg-replica", 112, "warning", "replication lag above 20 s for 5 minutes", label="instance")
b.edges = [["catalog-web", "loans-api"], ["catalog-web", "search"], ["loans-api", "pg-main"], ["search", "pg-replica"], ["pg-replica", "pg-main"], ["catalog-web", "auth"], ["loans-api", "notify"], ["backup", "pg-main"]]
b.expect("healthy", [], [], None, ["lib-d-88", "lib-302", "fl-covers", "lib-d-89", "lib-cfg-4"], None, None, True, "Nightly base backup moves disk, network and replica lag for 37 minutes as announced in its log; latency and errors of every service stay flat; the lag ends with the backup.")
b.write(opened=113)
