# C6 logistics: ALTER TABLE / non-concurrent index holds an exclusive lock; tracking-api and webhooks alarm. 10 s data.
from common import *
b = B("parcel_tracking", 106, "2025-06-12T13:05:00", 48, 15, ids="{h}", tz="+02:00")
L = b.load(.2, 11); T = 21.0; E = 38.5
b.topo("cdn-nginx>tracking-api,shipper-portal;tracking-api>shipments-db,redis-track;shipper-portal>shipment-svc;shipment-svc>shipments-db,kafka;carrier-webhooks>shipment-svc;label-printer>shipment-svc")
S = dict(load=L)
b.svc("tracking-api", "prom", 640, 45, .001, lat=[mul(T, 70, 1.2, E, 2)], errs=[add(T+.6, .58, 1, E, 1.5)], rt="go", **S)
b.svc("shipment-svc", "prom", 130, 80, .001, lat=[mul(T, 40, 1.2, E, 2)], errs=[add(T+.5, .7, 1, E, 1.5)], rt="jvm", **S)
b.svc("carrier-webhooks", "prom", 85, 35, .002, lat=[mul(T, 60, 1.2, E, 2)], errs=[add(T+.6, .72, 1, E, 1.5)], rpsx=[mul(T+2, 2.6, 6, E+1, 6)], **S)
b.svc("shipper-portal", "prom", 40, 210, .003, lat=[mul(T, 9, 1.2, E, 2)], errs=[add(T+.6, .3, 1, E, 1.5)], rt="node", reset=[17.2], **S)
b.svc("label-printer", "prom", 12, 300, .001, errs=[add(T+.6, .66, 1, E, 1.5)], **S)
b.pg("shipments-db", 88, 200, 41, 1900, L, connx=[to(T, 199, 3, E, 2)], qpsx=[mul(T, .06, .6, E, 1)], lockx=[add(T, 96, 2.5, E, .6)], cpux=[mul(T, .55, 1, E, 1)], latx=[mul(T, 4, 1, E, 2)])
b.s("shipments-db", "pg_stat_activity_max_tx_duration_seconds", 1.2, .4, fx=[lambda v, m: v + max(0, (m - T + .6) * 60) if T - .6 < m < E else v]); b.s("shipments-db", "node_disk_io_util_pct", 22, .1, L, fx=[add(T-.5, 44, .4, E, 1)])
b.s("redis-track", "redis_hit_ratio", .83, .01); b.s("redis-track", "redis_ops", 1500, .04, L, fx=[mul(T, .6, 1, E, 1)]); b.s("kafka", "kafka_consumergroup_lag{group=eta}", 120, .3, fx=[every(11, 3, 1)]); b.s("kafka", "kafka_messages_in", 700, .05, L, fx=[mul(T, .35, 1, E, 1)])
b.chat("tracking-api", 7, "go", pods=4); b.chat("tracking-api", 18, ["E GET /v1/track/{hex8} 503 pq: canceling statement due to statement timeout dur=3000ms", "W pool wait exceeded 2s in_use=50 idle=0"], T+.5, E+.3, pods=4)
b.chat("shipment-svc", 5, "spring"); b.chat("shipment-svc", 12, ["E org.postgresql.util.PSQLException: ERROR: canceling statement due to statement timeout\n\tat com.parcel.shipment.ShipmentRepository.updateStatus(ShipmentRepository.java:112)\n\tat com.parcel.shipment.StatusService.apply(StatusService.java:48)", "W HikariPool-1 - Connection is not available, request timed out after 5000ms (total=30, active=30, idle=0, waiting={#20-140})"], T+.5, E+.3)
b.chat("carrier-webhooks", 4, ["I webhook carrier={C07|C12|C31} event=scan accepted {~20}ms", "I webhook carrier={C07|C12|C31} event=delivered accepted {~22}ms", "W unknown event code {Z9|Q1} ignored"]); b.chat("carrier-webhooks", 8, ["E webhook carrier={C07|C12|C31} rejected: shipment-svc 503", "W carrier {C07|C12|C31} redelivers attempt={#2-5}"], T+.7, E+1)
b.chat("cdn-nginx", 6, "nginx"); b.chat("label-printer", 2, ["I label {hex8} printed zpl={#2-9}kB"]); b.chat("shipper-portal", 3, "node")
b.chat("shipments-db", 3, "pg"); b.chat("shipments-db", 9, ["I process {#9000-30000} still waiting for {RowExclusiveLock|AccessShareLock} on relation 16602 of database 16401 after 1000.{#10-99} ms"], T+.1, E, app="{tracking-api|shipment-svc}")
b.log(T-.75, "shipments-db", "I migrate: applying V20250612_1__shipment_promise (session 28811)", app="flyway"); b.log(T+.05, "shipments-db", "I process 28811 acquired AccessExclusiveLock on relation 16602 (shipment)", app="flyway"); b.log(E, "shipments-db", "I duration: 1058112.402 ms  statement: ALTER TABLE shipment ALTER COLUMN weight_g TYPE numeric(12,3)", app="flyway"); b.log(E+.02, "shipments-db", "I migrate: V20250612_1__shipment_promise done", app="flyway")
b.log(17.3, "shipper-portal", "I listening on 3000 version 88")
G = b.change(T-1, "deploy", "shipments-db", "schema release 2025-06-12: promise date, decimal weights", author="release-bot", diff=D("db/migrations/V20250612_1__shipment_promise.sql", """
+SET lock_timeout = 0;
+BEGIN;
+ALTER TABLE shipment ADD COLUMN promised_on date;
+ALTER TABLE shipment ALTER COLUMN weight_g TYPE numeric(12,3);
+CREATE INDEX shipment_promised_on_idx ON shipment (promised_on);
+UPDATE schema_info SET version = 412;
+COMMIT;""", 0))
d1 = b.change(T-3.9, "deploy", "shipper-portal", "shipper-portal r88: filter shipments by promise date (behind feature switch)", diff=D("portal/src/pages/shipments.tsx", """
-  const rows = useShipments({ page, status });
+  const rows = useShipments({ page, status, promised: features.promise ? range : undefined });
   return <Table rows={rows.data} loading={rows.isLoading} />;""", 33))
d2 = b.change(T-1.8, "deploy", "tracking-api", "tracking-api 1.52.1: statement timeout 5s -> 3s", diff=D("tracking-api/config/db.go", """
 func DSN(c Config) string {
-\treturn c.URL + "?statement_timeout=5000&pool_max_conns=50"
+\treturn c.URL + "?statement_timeout=3000&pool_max_conns=50"
 }""", 19))
b.bg(6, ["label-printer", "carrier-webhooks", "redis-track", "kafka"], -120, 18)
b.alert(T+2, "TrackingAvailability", "critical", "tracking-api 5xx 58%", "availability SLO burn 40x", service="tracking-api"); b.alert(T+2.5, "WebhookRejects", "critical", "carrier webhooks rejected", "5xx 70%", ends=E+3, service="carrier-webhooks"); b.alert(T+4, "DbConnectionsNearMax", "warning", "shipments-db 199/200 connections", "", service="shipments-db")
b.done("parcel tracking", "blocking table rewrite in a schema migration", ["code"], ["shipments-db", "shipment-svc"], G, [d1, d2], T, "the migration session takes AccessExclusiveLock on shipment for 17 minutes, exactly the outage; the shorter statement timeout only makes waiting visible.")
