from common import *
b = B("consumer-poison-record", 426, "2024-11-05T12:00:00Z", 2, 20, "loyalty-events")
D=17.5; T=55.7; R=98
f=b.stp(T,.4)*(1-b.stp(R,.6))
b.edges=[["order-service","orders-topic"],["points-consumer","orders-topic"],["points-consumer","points-db"],["tier-consumer","orders-topic"],["tier-consumer","points-db"],["loyalty-api","points-db"],["app-gateway","loyalty-api"]]
b.svc2("app-gateway","graphite",rps=110,p50=30,p99=240); b.svc("loyalty-api","prom",rps=64,p50=11,p99=80); b.svc2("order-service","grpc",rps=18,p50=35,p99=240)
b.g("orders-topic","messages_in_per_sec",19,.08); b.k("orders-topic","under_replicated_partitions",0); b.g("orders-topic","bytes_in_per_sec",24000,.08)
lag=19*60*np.clip(b.m-T,0,R-T)*.25*np.where(b.m<R,1,np.clip(1-(b.m-R)/8,0,1))
b.g("points-consumer",'records_lag{topic="orders",partition="3"}',25,.3,add=lag,dec=0)
for q in "012": b.g("points-consumer",f'records_lag{{topic="orders",partition="{q}"}}',25,.3,dec=0)
b.g("points-consumer","records_consumed_rate",19,.08,1-.26*f); b.c("points-consumer","listener_errors_total",0,add=1.1*f,start=6); b.c("points-consumer","seek_to_current_total",0,add=1.1*f,start=6); b.g("points-consumer","jvm_heap_mb",390,.04)
b.g("tier-consumer",'records_lag{topic="orders"}',60,.3,dec=0); b.g("tier-consumer","records_consumed_rate",19,.08); b.pg("points-db",tps=130); b.g("loyalty-api","points_age_s_p95",14,.2,add=60*np.clip(b.m-T,0,R-T)*(b.m<R+8))
for c,s,n in (("app-gateway","envoy",260),("loyalty-api","ktor",260),("order-service","spring",240),("points-consumer","ktor",300),("tier-consumer","ktor",240),("orders-topic","kafka",120)): b.chat(c,s,n)
st="java.lang.IllegalArgumentException: No enum constant loyalty.points.SalesChannel.marketplace\n\tat java.base/java.lang.Enum.valueOf(Enum.java:293)\n\tat loyalty.points.EarnRule.rateFor(EarnRule.kt:38)\n\tat loyalty.points.OrderListener.onOrder(OrderListener.kt:52)\n\tat org.springframework.kafka.listener.KafkaMessageListenerContainer.invokeRecordListener(KafkaMessageListenerContainer.java:2621)"
b.trace_log("points-consumer","ERROR","Listener failed for orders-3@884{d}, seeking back (attempt {n})",st,T,R+.2,6)
b.burst("loyalty-api","WARN","balance of member {id} older than 10 min",T+11,R+7,1)
b.log("order-service",T-.1,"INFO","first order of channel=marketplace stored id=88412077 (partner go-live)"); b.log("points-consumer",D+1,"INFO","points-consumer 1.30.0 partitions assigned: [orders-0, orders-1, orders-2, orders-3]"); b.log("points-consumer",R+.5,"INFO","points-consumer 1.29.4 partitions assigned: [orders-0, orders-1, orders-2, orders-3]")
p="src/main/kotlin/loyalty/points/EarnRule.kt"
b.change("p-300","deploy",D,"points-consumer","g.adeyemi","points-consumer 1.30.0: earn rate by sales channel",[p,"src/main/kotlin/loyalty/points/SalesChannel.kt"],diff(p,"""
@@ -31,8 +31,14 @@ class EarnRule(private val rates: Rates) {
-    fun pointsFor(order: OrderPlaced): Long =
-        order.netMinor / 100 * rates.standard
+    fun pointsFor(order: OrderPlaced): Long =
+        order.netMinor / 100 * rateFor(order)
+
+    private fun rateFor(order: OrderPlaced): Long {
+        val channel = SalesChannel.valueOf(order.channel)
+        return when (channel) {
+            SalesChannel.APP -> rates.app
+            SalesChannel.WEB, SalesChannel.STORE -> rates.standard
+        }
+    }
 }
"""),commit=b.sha())
b.change("p-301","deploy",T-.6,"tier-consumer","g.adeyemi","tier-consumer 1.12: commit after each batch",["src/main/kotlin/loyalty/tier/Config.kt"],diff("src/main/kotlin/loyalty/tier/Config.kt","@@ -19,5 +19,5 @@ class Config {\n     factory.isBatchListener = true\n-    factory.containerProperties.ackMode = AckMode.TIME\n+    factory.containerProperties.ackMode = AckMode.BATCH\n     return factory\n }\n"),commit=b.sha())
b.inn("p-299","java-dto",9,"order-service","b.holm"); b.inn("p-302","go-metrics",T+13,"app-gateway","b.holm",nodiff=True); b.change("p-303","deploy",R,"points-consumer","g.adeyemi","Roll back points-consumer to 1.29.4",[],None,commit=b.sha()); b.inn("p-304","tf-tags",35,"points-db","platform-bot",kind="config")
b.alert("ConsumerLag","points-consumer",T+7,"critical","Lag of orders partition 3 above 1000",topic="orders",partition="3"); b.alert("PointsStale","loyalty-api",T+14,"warning","Points older than 10 min")
b.expect("poison record",["code"],["points-consumer"],"p-300",["p-301","p-302"],T,(T-1,T+3),why="Partition 3 is stuck on one record since the first marketplace order, 38 min after the deploy; the stack names EarnRule.rateFor / SalesChannel, added by p-300; the other consumer of the topic is fine; rollback cured it.",delayed=True)
b.write()
