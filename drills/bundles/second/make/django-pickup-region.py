# Django + Celery. N+1 after a serializer change; Postgres alarms first, Celery is a victim (same database). Spans show SELECT region x N. Decoy: celery deploy 1 min before, pgbouncer config.
from common import *
b = Bundle("django-pickup-region", 313, "2025-03-26T08:00:00Z", 3, 30, "marketplace", ["orders", "parcels", "sellers", "labels", "pickups"])
ON = 94; s = b.stp(ON, 1.5); d = b.day(.2, 120, 600)
b.svc("orders-api", "statsd", 60, 70, 420, traffic=d, slow=1 + 4.5 * s, slow50=1 + 3.5 * s, fail=.02 * b.stp(ON + 9, 4)); b.g("orders-api", "orders_api.db.queries_per_request", 7, .06, 1 + 5.8 * s); b.svc("seller-web", "statsd", 35, 90, 500, traffic=d, slow=1 + 3.4 * s, fail=.015 * b.stp(ON + 9, 4)); b.svc("buyer-web", "statsd", 80, 60, 380, traffic=d, slow=1 + .5 * s)
b.g("postgres", "pg_active_backends", 9, .2, d * (1 + 5 * s), dec=0); b.g("postgres", "CPUUtilization", 33, .05, d * (1 + 1.7 * s), hi=99); b.g("postgres", "pg_stat_tup_fetched", 41000, .06, d * (1 + 3.1 * s)); b.c("postgres", "pg_xact_commit", 420, mul=d); b.c("postgres", "pg_calls_total", 900, mul=d * (1 + 4.4 * s)); b.g("postgres", "pg_cache_hit_ratio", .994, .0008, hi=1, dec=4); b.k("postgres", "pg_deadlocks", 1); b.g("pgbouncer", "cl_waiting", .3, 1, add=70 * s, dec=0); b.g("pgbouncer", "sv_active", 22, .1, 1 + 1.2 * s, hi=60, dec=0)
b.g("celery-worker", "celery_queue_length{queue=labels}", 20, .4, add=900 * b.ramp(ON + 4, 180), dec=0); b.g("celery-worker", "celery_task_runtime_mean", .7, .1, 1 + 3.2 * b.stp(ON + 1, 3)); b.g("celery-worker", "celery_active", 14, .15, 1 + .6 * s, hi=24, dec=0); b.g("redis-broker", "redis_used_memory_mb", 310, .02, 1 + .1 * s); b.g("redis-broker", "redis_ops", 800, .07)
b.chat("orders-api", "django", 320); b.chat("celery-worker", "celery", 260); b.chat("seller-web", "django", 150); b.chat("postgres", "postgres", 90)
b.burst("postgres", "LOG", ["duration: 3{d}.2 ms  statement: SELECT \"geo_region\".\"id\", \"geo_region\".\"name\" FROM \"geo_region\" WHERE \"geo_region\".\"id\" = {id} LIMIT 21", "duration: 2{d}.7 ms  statement: SELECT \"logistics_courier\".\"id\", \"logistics_courier\".\"region_id\" FROM \"logistics_courier\" WHERE \"logistics_courier\".\"id\" = {id} LIMIT 21"], ON, b.mins, 3.5)
b.burst("celery-worker", "WARNING", "Task shop.tasks.labels[{uuid}] exceeded soft time limit (20s)", ON + 8, b.mins, 1.2); b.burst("orders-api", "ERROR", "Internal Server Error: /api/orders/\nTraceback (most recent call last):\n  File \"django/db/backends/utils.py\", line 89, in _execute\ndjango.db.utils.OperationalError: query_wait_timeout", ON + 9, b.mins, .8)
tree = ("seller-web", "GET /orders", 20, [("orders-api", "OrderViewSet.list", 40, [("postgres", "SELECT orders", 12, []), ("postgres", "SELECT geo_region", 2.2, [], 1 + 11 * s)])])
b.traces(110, tree, slow={"postgres": 1 + 1.5 * s})
sha = b.change("2c41d", "commit", 62, "orders-api", "yrsa", "orders list: show where the parcel is picked up", ["orders/serializers.py", "orders/tests/test_list.py"], diff("orders/serializers.py", '''@@ -31,14 +31,19 @@ class OrderListSerializer(serializers.ModelSerializer):
     buyer = serializers.CharField(source="buyer.display_name")
     status = serializers.CharField(source="get_status_display")
+    pickup = serializers.SerializerMethodField()
 
     class Meta:
         model = Order
-        fields = ["id", "number", "buyer", "status", "total"]
+        fields = ["id", "number", "buyer", "status", "total", "pickup"]
+
+    def get_pickup(self, order):
+        c = order.courier
+        return c.region.name if c else None
'''))
b.change("r-1181", "deploy", 93, "orders-api", "ci", "orders-api 118.1", commit=sha)
s2 = b.change("77b0e", "commit", 70, "celery-worker", "gil", "labels: render in chunks of 50", ["labels/tasks.py"], diff("labels/tasks.py", '''@@ -12,8 +12,9 @@ from celery import shared_task
 @shared_task(bind=True, max_retries=3)
 def labels(self, order_ids):
-    for o in Order.objects.filter(id__in=order_ids):
-        render(o)
+    for part in chunked(order_ids, 50):
+        for o in Order.objects.filter(id__in=part).select_related("buyer"):
+            render(o)
'''))
b.change("r-1182", "deploy", 93.6, "celery-worker", "ci", "celery-worker 55.0", commit=s2); b.change("pgb-9", "config", 88, "pgbouncer", "dba", "default_pool_size 50 -> 60", ["ansible/pgbouncer.ini"], None); b.change("r-1183", "deploy", 100, "buyer-web", "ci", "buyer-web 40.2"); b.change("fl-sel", "flag", 75, "seller-web", "product", "bulk actions: 20% of sellers")
b.alert("PgActiveBackends", "postgres", 97, "critical", "active backends above 40", label="instance"); b.alert("LabelQueue", "celery-worker", 108, "critical", "labels queue above 150", label="job"); b.alert("OrdersLatency", "orders-api", 101, "warning", "p95 above 1 s")
b.edges = [["seller-web", "orders-api"], ["buyer-web", "orders-api"], ["orders-api", "pgbouncer"], ["celery-worker", "pgbouncer"], ["pgbouncer", "postgres"], ["orders-api", "redis-broker"], ["celery-worker", "redis-broker"]]
b.expect("code_n_plus_one", ["code"], ["orders-api"], "2c41d", ["r-1182", "77b0e", "pgb-9", "r-1183", "fl-sel"], ON, [ON - 1.5, ON + 3], change_also=["r-1181"], why="Queries per request x6 with one SELECT of courier and region per row, in spans and slow log, matching get_pickup; transactions stay flat, celery is slow on the same database only after.")
b.write(opened=98)
