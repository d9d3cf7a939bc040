from common import *
B = Bundle("courier-poison", 122, "parcel-tracking", "2025-05-27T06:40:00Z", 120, 60, peak=12)
T = 49.0; C = 44.0
B.drop.add("metrics")
B.change("trk-1402", "deploy", C, "label-consumer", "label-consumer 1402: one error handler for all listeners", diff=D("src/main/kotlin/parcel/kafka/KafkaConfig.kt", """@@ -24,12 +24,9 @@ class KafkaConfig {
     @Bean
-    fun errorHandler(template: KafkaTemplate<String, ByteArray>) =
-        DefaultErrorHandler(
-            DeadLetterPublishingRecoverer(template),
-            ExponentialBackOff(500, 2.0).apply { maxElapsedTime = 20_000 },
-        )
+    fun errorHandler() =
+        DefaultErrorHandler(FixedBackOff(0, FixedBackOff.UNLIMITED_ATTEMPTS))
 
     @Bean
     fun listenerFactory(cf: ConsumerFactory<String, ByteArray>, eh: DefaultErrorHandler) ="""), boot=True, lang="jvm")
B.change("sort-220", "deploy", 46.5, "sort-planner", "sort-planner 220: hub map of week 22", files=["hubs/2025w22.json"], boot=True, lang="go")
B.change("kfk-8", "config", 47.8, "parcel-bus", "parcel-bus: log.segment.bytes 1g -> 512m for labels", diff=D("topics/labels.yaml", "@@ -4,2 +4,2 @@\n-  segment.bytes: 1073741824\n+  segment.bytes: 536870912"))
B.change("ntf-90", "deploy", 25, "notify", "notify 90: quiet hours for SMS", diff=D("src/quiet.ts", "@@ -0,0 +1,4 @@\n+export const quiet = (h: number) => h < 7 || h >= 21\n+\n+export const due = (t: Date) => !quiet(t.getHours())\n"), boot=True, lang="node")
B.filler(1, -300, 40, ["tracking-api", "notify", "sort-planner"], "trk-0")
B.chat("tracking-api", ["GET /t/{hex8} 200 {ms:20}ms"], 2.5, "go"); B.chat("notify", ["sms sent 'out for delivery'"], 1, "node"); B.chat("sort-planner", ["lane {n:1-40} plan {n:200-900} parcels"], 1.5, "go"); B.chat("parcel-bus", [], .5, "kafka")
for p in range(6):
    a = T if p == 4 else 999
    B.logs("label-consumer", "INFO", "label printed parcel=P{n:10000000-99999999} partition=%d" % p, 0, min(a, 120), pm=.9)
B.logs("label-consumer", "WARN", "dead letter labels.DLT partition={n:0-5} offset={n:88000-89000} cause=MalformedAddressException", 0, C, pm=.12)
B.logs("label-consumer", "ERROR", "Backoff none exhausted=false labels-4@884120 attempt={n:2000-900000}\norg.springframework.kafka.listener.ListenerExecutionFailedException: Listener method 'onLabel' threw exception\n\tat parcel.kafka.LabelListener.onLabel(LabelListener.kt:31)\nCaused by: parcel.address.MalformedAddressException: postcode '' for country NL\n\tat parcel.address.Parser.parse(Parser.kt:58)", T, pm=9)
B.logs("parcel-bus", "WARN", "group label-consumer partition labels-4 lag={n:900-9000} committed offset 884120 unchanged", T + 3, pm=.6); B.logs("label-consumer", "INFO", "cpu throttled 38% of periods", T + 3, pm=.2)
B.logs("sort-planner", "WARN", "lane {n:27-34} starving: no labelled parcels for {n:5-60}m", T + 8, pm=1.2); B.logs("notify", "WARN", "no event label_printed for shipments of hub {pick:RTM|EIN}", T + 12, pm=.5); B.logs("tracking-api", "INFO", "GET /t/{hex8} 200 {ms:20}ms status=announced age={n:30-120}m", T + 10, pm=.8)
B.log(31, "notify", "WARN", "sms provider slow {n:1500-1900}ms"); B.logs("notify", "WARN", "sms provider slow {n:1500-3900}ms", 30, 37, pm=2)
B.trace([dict(c="label-consumer", n="onLabel", p=-1, ms=25), dict(c="address", n="parse", p=0, ms=3, err=lambda t: .86 if t > T else .004), dict(c="parcel-bus", n="produce label_printed", p=0, ms=4)], 2.4)
B.topo("sort-planner > parcel-bus\nlabel-consumer > parcel-bus address\nnotify > parcel-bus\ntracking-api > parcel-bus")
B.alert(T + 18, "LaneStarving", "critical", "sort-planner", "lanes 27-34 without parcels for 10m", label="component"); B.alert(T + 20, "ConsumerLag", "warning", "parcel-bus", "lag labels-4 above 3000 for 10m", label="component")
B.finish(T + 21, "code/poison message", ["code"], ["label-consumer"], "trk-1402", ["sort-220", "kfk-8"], T, why="Malformed labels existed before and went to the dead letter topic; after trk-1402 (unlimited retries, no DLT) one at labels-4@884120 blocks its partition for good.")
