from common import *
B = Bundle("order-seq-overflow", 106, "orders", "2025-08-21T09:10:00Z", 100, 30, peak=18)
B.drop.add("topology")
T = 58.4
B.change("m-0142", "commit", 20.0, "orders-db", "migration 0142: add orders.channel", diff=D("db/migrate/0142_add_channel.sql", "@@ -0,0 +1,3 @@\n+ALTER TABLE orders ADD COLUMN channel varchar(16);\n+COMMENT ON COLUMN orders.channel IS 'web, app, kiosk';\n+-- no default, no rewrite"))
B.change("dep-2290", "deploy", 56.2, "orders-api", "orders-api 2290: record channel in order events", diff=D("orders/events.py", """@@ -40,7 +40,8 @@ def record_event(tx, order, kind, payload=None):
     tx.execute(
-        "INSERT INTO order_events (order_id, kind, payload) VALUES (%s, %s, %s)",
-        (order.id, kind, Json(payload or {})),
+        "INSERT INTO order_events (order_id, kind, payload) VALUES (%s, %s, %s)",
+        (order.id, kind, Json({**(payload or {}), "channel": order.channel})),
     )"""), boot=True, lang="py")
B.change("cfg-77", "config", 49, "pgbouncer", "pgbouncer: default_pool_size 40 -> 50", diff=D("pgbouncer.ini", "@@ -9,2 +9,2 @@\n-default_pool_size = 40\n+default_pool_size = 50"))
B.filler(4, -900, 50, ["orders-api", "fulfilment", "notify"], "dep-1")
B.svc("gateway", 140, 22, 120, lang="go", fx=dict(err=[add(T, .16, ramp=.5)])); B.svc("orders-api", 45, 60, 300, lang="py", fx=dict(err=[add(T, .52, ramp=.5)], p50=[mul(T, .6)]))
B.svc("fulfilment", 12, 70, 300, lang="jvm", fx=dict(rps=[mul(T + 1, .1, ramp=3)])); B.svc("notify", 9, 20, 100, lang="node", fx=dict(rps=[mul(T + 1, .08, ramp=3)])); B.svc("pgbouncer", 300, 1, 6, lang="pg", extra=False)
B.pg("orders-db", 70, 420, 28, fx=dict(tps=[mul(T, .62)]))
B.s("orders-db", "pg_stat_database_xact_rollback_total", .3, 0, [add(T, 23, ramp=.5)], "ctr")
for tb, u in (("order_events_id_seq", .99998), ("orders_id_seq", .141), ("payments_id_seq", .0872)):
    B.s("orders-db", 'pg_sequence_used_ratio{seq="%s"}' % tb, u if u < .9 else .99990, 0, [(lambda t, v: min(1, .9999 + .0001 * min(t, T) / T))] if u > .9 else [], sig=7, gap=0)
B.s("orders-db", "pg_table_rows_estimate{table=\"order_events\"}", 1.61e9, 0, [leak(0, 1400, t1=T)], integer=True, gap=0)
B.kafka("bus", "fulfilment", 90, 20, fx={"in": [mul(T, .15, ramp=2)]})
B.topo("gateway > orders-api\norders-api > pgbouncer bus\npgbouncer > orders-db\nfulfilment > bus\nnotify > bus")
B.chat("gateway", ["POST /orders 201 {ms:80}ms", "GET /orders/{n:1000000-9000000} 200 {ms:25}ms"], 4, "go"); B.chat("fulfilment", ["pick list created o={n:302000000-302900000}"], 1, "jvm"); B.chat("notify", ["push sent"], 1, "node"); B.chat("orders-db", [], .6, "pg"); B.chat("bus", [], .3, "kafka")
B.logs("orders-api", "INFO", "order created id={n:302000000-302900000} channel={pick:web|app|kiosk}", 57, T, pm=4); B.logs("orders-api", "INFO", "order created id={n:302000000-302900000}", 0, 57, pm=4); B.chat("orders-api", ["GET /orders/{n:302000000-302900000} 200"], 2, "py")
B.logs("orders-api", "ERROR", "Exception in POST /orders\nTraceback (most recent call last):\n  File \"/app/orders/api.py\", line 112, in create\n    record_event(tx, order, \"created\")\n  File \"/app/orders/events.py\", line 41, in record_event\n    tx.execute(\npsycopg.errors.SequenceGeneratorLimitExceeded: nextval: reached maximum value of sequence \"order_events_id_seq\" (2147483647)", T, pm=9)
B.logs("orders-db", "ERROR", "nextval: reached maximum value of sequence \"order_events_id_seq\" (2147483647)", T, pm=6); B.logs("gateway", "ERROR", "POST /orders 500 {ms:60}ms", T, pm=5)
B.alert(T + 2, "OrderCreateFailing", "critical", "orders-api", "orders created per minute = 0"); B.alert(T + 6, "NoMessages", "warning", "fulfilment", "fulfilment receives no pick lists"); B.alert(T + 2.5, "5xx", "critical", "gateway", "gateway 5xx above 5%")
B.finish(T + 3, "capacity/int overflow", ["capacity", "data"], ["orders-db"], None, ["dep-2290", "m-0142"], T, why="The 32-bit sequence of order_events reached 2147483647 (ratio climbs to 1.0 at the onset); orders worked 2 minutes on the new release, whose diff does not touch the key.")
