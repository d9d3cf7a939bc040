# C8 pipeline: producer changes field type; consumers stall, freshness alarm 50 min later. Decoys near the alarm.
from common import *
b = B("orders_warehouse", 108, "2025-04-08T02:00:00", 240, 60, ids="ci-{n}")
L = b.load(.3, 14); T = 96
b.topo("orders-producer>kafka,schema-registry;pos-producer>kafka,schema-registry;enricher>kafka,geo-lookup;warehouse-loader>kafka,warehouse;freshness-monitor>warehouse;bi-api>warehouse")
b.s("orders-producer", "records_sent_rate", 310, .05, L, reset=()); b.s("orders-producer", "record_error_rate", 0, 0, kind="k"); b.s("orders-producer", "app_cpu_pct", 31, .07, L); b.s("orders-producer", "rss_bytes", 4.1e8, .01)
b.s("pos-producer", "records_sent_rate", 120, .05, L); b.s("pos-producer", "record_error_rate", 0, 0, kind="k")
for t, r in (("orders", 310), ("pos", 120)):
    b.s("kafka", f"topic_{t}_bytes_in", r * 640, .05, L); b.s("kafka", f"consumer_lag_{t}_enricher", 90, .4, fx=[grow(T, r * 60) if t == "orders" else every(50, 2, 2)])
    b.s("kafka", f"consumer_lag_{t}_loader", 140, .4)
b.s("kafka", "under_replicated_partitions", 0, 0, kind="k"); b.s("kafka", "broker_disk_used_pct", 58, .002, fx=[grow(0, .006)])
b.s("enricher", "records_consumed_rate{topic=orders}", 310, .05, L, fx=[mul(T, .0, 1)]); b.s("enricher", "records_consumed_rate{topic=pos}", 120, .05, L); b.s("enricher", "rebalance_total", 3, 0, kind="k", fx=[lambda v, m: v + max(0, int((m - T) / 4))]); b.s("enricher", "jvm_heap_used_pct", 48, .1, fx=[saw(7, 20)]); b.s("enricher", "task_restarts", 0, 0, kind="p", fx=[add(T, 2.2, 0)]); b.s("enricher", "cpu_pct", 44, .07, L, fx=[mul(T, .5, 2)])
b.s("geo-lookup", "lookup_p95_ms", 12, .1); b.s("geo-lookup", "lookups", 18000, .05, L, kind="i", fx=[mul(T, .29, 1)])
b.s("warehouse-loader", "rows_loaded", 24000, .06, L, kind="i", fx=[mul(T+4, .28, 4)]); b.s("warehouse-loader", "load_batch_seconds", 9, .15); b.s("warehouse-loader", "load_failures", 0, 0, kind="k"); b.s("warehouse", "credits_used", 3, .2, fx=[mul(60, 4, 2, 85)]); b.s("warehouse", "queued_queries", .8, .4, kind="p", fx=[add(60, 5, 2, 85)])
b.s("freshness-monitor", "table_age_minutes{table=fct_orders}", 4, .2, fx=[grow(T+5, 1)]); b.s("freshness-monitor", "table_age_minutes{table=fct_pos}", 5, .2); b.s("bi-api", "p95_ms", 420, .15, fx=[mul(60, 1.8, 2, 85)]); b.s("bi-api", "requests", 800, 0, b.load(.5, 8), kind="p")
b.s("schema-registry", "registered_schemas", 417, 0, kind="k", fx=[add(88, 1, 0)]); b.s("schema-registry", "request_rate", 4, .3)
b.chat("orders-producer", 1, ["I produced batch n={#80-400} topic=orders acks=all {~12}ms", "D linger flush", "W metadata refresh took {~900}ms"]); b.chat("pos-producer", .8, ["I produced batch n={#40-200} topic=pos acks=all {~12}ms"]); b.chat("kafka", 1, "kafka"); b.chat("geo-lookup", .4, "go"); b.chat("warehouse-loader", 1, ["I copied {#9000-30000} rows into stg_{orders|pos} in {~9}s", "I merge fct_{orders|pos} ok", "W small batch rows={#10-90}"]); b.chat("freshness-monitor", .3, ["I check fct_pos age={#3-8}m ok"]); b.chat("bi-api", 1, "py")
b.chat("enricher", 1.4, ["I committed offsets topic={orders|pos} partitions=12", "D geo cache hit ratio 0.{#90-99}"]); b.chat("enricher", 2.2, ["E org.apache.kafka.common.errors.SerializationException: Error deserializing Avro message for id 418\nCaused by: org.apache.avro.AvroTypeException: Found string, expecting long (field amount_minor)\n\tat org.apache.avro.io.ResolvingDecoder.doAction(ResolvingDecoder.java:308)\n\tat orders.enricher.OrderDeserializer.deserialize(OrderDeserializer.java:39)", "W task orders-{#0-5} failed, restarting in 30s (offset not committed)"], T, partition="{#0-11}")
b.log(88.1, "schema-registry", "I registered subject=orders-value id=418 compatibility=NONE client=orders-producer/2.14.0"); b.log(87, "orders-producer", "I build 2.14.0 started, canary 1 of 6, writer schema registered, money_v2=off until rollout completes"); b.log(95.4, "orders-producer", "I rollout 2.14.0 complete 6/6, money_v2=on"); b.log(T+50, "freshness-monitor", "W check fct_orders age=49m limit=45m BREACH")
G = b.change(86.5, "deploy", "orders-producer", "orders-producer 2.14.0: money as decimal string (v2)", diff=D("orders-producer/schema/order.avsc", """
   {"name": "order_id", "type": "string"},
-  {"name": "amount_minor", "type": "long"},
+  {"name": "amount_minor", "type": "string", "doc": "decimal, see money v2"},
   {"name": "currency", "type": "string"},""", 6) + D("orders-producer/internal/encode/order.go", """
-\trec["amount_minor"] = o.Total.Minor()
+\trec["amount_minor"] = o.Total.Decimal().String()
 \trec["currency"] = o.Total.Currency""", 44))
d1 = b.change(T+46.5, "deploy", "warehouse-loader", "warehouse-loader 0.71: batch size 20k -> 30k", diff=D("loader/settings.py", "-BATCH_ROWS = 20_000\n+BATCH_ROWS = 30_000\n BATCH_SECONDS = 30", 9))
d2 = b.change(94.2, "config", "enricher", "enricher: max.poll.records 500 -> 1000", diff=D("helm/enricher/values.yaml", " consumer:\n-  maxPollRecords: 500\n+  maxPollRecords: 1000\n   maxPollIntervalMs: 300000", 18))
b.bg(7, ["pos-producer", "bi-api", "geo-lookup", "freshness-monitor"], -60, 200)
b.alert(T+50, "TableStale", "critical", "fct_orders is 49 minutes old", "freshness SLO 45m", service="freshness-monitor", table="fct_orders")
b.done("orders warehouse pipeline", "incompatible Avro field type from the producer", ["code", "data"], ["orders-producer"], G, [d1, d2], T, "schema id 418 registered by orders-producer 2.14.0 is the one the enricher cannot read (string for long); pos topic keeps flowing through the same enricher.", alt=T+50)
