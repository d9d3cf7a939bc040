# K4 trading: pgbouncer pool 60 -> 6 takes effect on RELOAD; order-gateway alarms. Decoy risk-engine deploy.
from common import *
b = B("order_entry", 204, "2025-01-30T14:10:00", 75, 20, ids="cfg{n}", order="series")
L = b.load(.3, 15); T = 36.3
b.topo("fix-gateway>order-gateway;rest-trading>order-gateway;order-gateway>risk-engine,pgbouncer;risk-engine>pgbouncer,refdata;pgbouncer>orders-pg;position-keeper>pgbouncer;eod-export>orders-pg")
b.svc("order-gateway", "prom", 180, 35, .001, load=L, errs=[add(T, .18, 2)], lat=[mul(T, 26, 2)], rt="jvm"); b.svc("risk-engine", "prom", 180, 14, .0005, load=L, errs=[add(T, .09, 2)], lat=[mul(T, 31, 2)], rt="go", reset=[34.2]); b.svc("position-keeper", "prom", 60, 25, .0005, load=L, lat=[mul(T, 24, 2)]); b.svc("rest-trading", "prom", 70, 70, .002, load=L, errs=[add(T+.3, .16, 2)], lat=[mul(T, 14, 2)], rt="node"); b.svc("fix-gateway", "prom", 110, 40, .0002, load=L, lat=[mul(T, 19, 2)], errs=[add(T+.3, .14, 2)])
b.s("pgbouncer", "pgbouncer_pools_server_active_connections", 31, .12, L, kind="i", fx=[lambda v, m: min(v, 6) if m > T else v]); b.s("pgbouncer", "pgbouncer_pools_client_waiting_connections", .1, 0, kind="p", fx=[add(T, 140, 2)]); b.s("pgbouncer", "pgbouncer_pools_client_maxwait_seconds", .01, .5, fx=[add(T, 2.4, 2)]); b.s("pgbouncer", "pgbouncer_stats_queries_total", 2900, kind="r", load=L, fx=[mul(T, .44, 1)]); b.s("pgbouncer", "process_cpu_pct", 22, .1, L, fx=[mul(T, .6, 1)])
b.pg("orders-pg", 64, 300, 38, 2400, L, connx=[mul(T, .3, 1)], cpux=[mul(T, .42, 1)], qpsx=[mul(T, .44, 1)], latx=[mul(T, .9, 1)]); b.s("refdata", "cache_age_s", 20, .3); b.s("eod-export", "cpu_pct", 3, .2, fx=[add(50, 40, 1, 61)])
b.chat("order-gateway", 5, "spring", pods=3); b.chat("order-gateway", 9, ["E java.sql.SQLTransientConnectionException: query_wait_timeout\n\tat com.zaxxer.hikari.pool.ProxyConnection.checkException(ProxyConnection.java:182)\n\tat com.exch.orders.OrderStore.insert(OrderStore.java:71)", "W new order ack took {~900}ms clOrdId={hex8}"], T+.4, pods=3); b.chat("risk-engine", 3, "go"); b.chat("risk-engine", 4, ["W limit lookup slow {~450}ms acct={#100-999}", "E limit lookup failed: pq: query_wait_timeout"], T+.4); b.chat("fix-gateway", 3, ["I 35=D in session=F{#1-9} clOrdId={hex8}", "I 35=8 out session=F{#1-9} ordStatus=0", "W test request sent session=F{#1-9}"]); b.chat("rest-trading", 2, "node"); b.chat("position-keeper", 1.5, "py"); b.chat("orders-pg", 1, "pg"); b.chat("refdata", .4, "go"); b.chat("eod-export", 1, "batch", 50, 61)
b.chat("pgbouncer", 1, ["I stats: {#2400-2900} xacts/s, {#2800-3300} queries/s, in 1.1 MB/s, out 4.{#1-9} MB/s, wait {#20-90} us"], 0, T); b.chat("pgbouncer", 1, ["I stats: {#1000-1200} xacts/s, {#1200-1400} queries/s, in 0.5 MB/s, out 1.{#1-9} MB/s, wait {#1800000-2600000} us"], T); b.chat("pgbouncer", 3, ["W C-0x{hex6}: orders/app@{ip} pooler error: query_wait_timeout"], T+.4); b.log(T-.05, "pgbouncer", "I RELOAD command issued"); b.log(34.3, "risk-engine", "I risk-engine 9.2.0 up, limits loaded=41877")
G = b.change(22, "config", "pgbouncer", "pgbouncer: separate pool for reporting user", diff=D("ansible/roles/pgbouncer/templates/pgbouncer.ini.j2", """
 [databases]
-orders = host=orders-pg port=5432 pool_size=60
+orders = host=orders-pg port=5432
+orders_ro = host=orders-pg-ro port=5432 pool_size=20
 
 [pgbouncer]
 pool_mode = transaction
 max_client_conn = 2000
+default_pool_size = 6
 query_wait_timeout = 3""", 4))
d1 = b.change(33.9, "deploy", "risk-engine", "risk-engine 9.2.0: per-desk intraday limits", diff=D("risk-engine/limits/store.go", """
-\trow := s.db.QueryRowContext(ctx, `SELECT max_notional FROM limits WHERE acct=$1`, acct)
+\trow := s.db.QueryRowContext(ctx, `SELECT max_notional, desk_cap FROM limits WHERE acct=$1`, acct)
 \tvar l Limit
-\tif err := row.Scan(&l.MaxNotional); err != nil {
+\tif err := row.Scan(&l.MaxNotional, &l.DeskCap); err != nil {
 \t\treturn Limit{}, err
 \t}""", 44))
d2 = b.change(35.8, "flag", "order-gateway", "order-gateway: iceberg_orders on for desk 4", files=["flags/order-gateway.json"], diff=D("flags/order-gateway.json", "-  \"iceberg_orders\": { \"desks\": [1, 2] },\n+  \"iceberg_orders\": { \"desks\": [1, 2, 4] },\n   \"peg_orders\": { \"desks\": [1] }", 11))
d3 = b.change(27.5, "deploy", "position-keeper", "position-keeper 3.3.3", files=[], diff=None)
b.bg(5, ["rest-trading", "fix-gateway", "refdata", "eod-export"], -60, 30)
b.alert(T+1.7, "OrderAckLatency", "critical", "order ack p99 above 1s", "p99 2.0s", service="order-gateway"); b.alert(T+2, "RestTradingErrors", "critical", "rest-trading 5xx 16%", "", service="rest-trading")
gw = lambda r, c: N(r, c, 3, [N("order-gateway", "newOrder", 6, [N("risk-engine", "check", 2, [N("pgbouncer", "acquire", .3, lat=[add(T, 420, 1.5)], err=lambda m: .08 if m > T+.4 else 0)]), N("pgbouncer", "acquire", .3, lat=[add(T, 600, 1.5)], err=lambda m: .12 if m > T+.4 else 0), N("orders-pg", "INSERT orders", 2.2)])])
b.traces(60, gw("fix-gateway", "35=D")); b.traces(40, gw("rest-trading", "POST /orders"))
b.done("order entry", "pool size fell back to a small default, active after RELOAD", ["configuration", "capacity"], ["pgbouncer"], G, [d1, d2, d3], T, "active server connections are capped at 6 from the logged RELOAD on, waiting clients pile up and the database goes idle.")
