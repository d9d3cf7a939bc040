# Java: blocking joins on a shared pool -> thread starvation. No metrics at all: logs and spans only. Decoys: carrier-c slowness is old (constant), timeouts config; deploy of carrier adapter 40 s before.
from common import *
b = Bundle("quotes-common-pool", 322, "2025-06-04T09:30:00Z", 1, 15, "freight-quotes", ["lanes", "carriers", "quotes", "surcharges"])
b.mins = 80; b.n = int(b.mins * 4); b.m = np.arange(b.n) / 4
ON = 38; s = b.stp(ON, 2)
tree = ("quote-gw", "POST /quotes", 8, [("quote-svc", "compose", 22, [("surcharge-svc", "surcharges", 18, []), ("carrier-a", "rate", 70, []), ("carrier-b", "rate", 95, []), ("carrier-c", "rate", 420, [])])])
b.traces(330, tree, slow={"quote-svc:compose": 1 + 170 * s}, fail={"quote-svc:compose": .2 * b.stp(ON + 3, 2), "carrier-c:rate": .02})
b.traces(120, ("quote-gw", "GET /lanes", 6, [("lane-svc", "lanes", 12, [])])); b.traces(110, ("booking-ui", "GET /book", 20, [("quote-gw", "POST /quotes", 8, [("quote-svc", "compose", 22, [("carrier-a", "rate", 70, [])])])]), slow={"quote-svc:compose": 1 + 150 * s}, fail={"quote-svc:compose": .2 * b.stp(ON + 3, 2)})
b.chat("quote-svc", "spring", 520); b.chat("quote-gw", "nginx", 420); b.chat("lane-svc", "spring", 200); b.chat("surcharge-svc", "spring", 200); b.chat("carrier-c", "go", 160); b.chat("booking-ui", "node", 220)
b.burst("carrier-c", "warn", "slow partner reply {n}ms lane={id}", 0, b.mins, 1.4)
b.burst("quote-svc", "WARN", ["compose waited 8{n} ms for 4 futures, thread=ForkJoinPool.commonPool-worker-3", "java.util.concurrent.TimeoutException\n\tat java.base/java.util.concurrent.CompletableFuture.timedGet(CompletableFuture.java:1960)\n\tat freight.quotes.Composer.surcharges(Composer.java:77)\n\tat java.base/java.util.concurrent.ForkJoinWorkerThread.run(ForkJoinWorkerThread.java:165)"], ON, b.mins, 4); b.burst("quote-svc", "INFO", "commonPool parallelism=3 active=3 queued={n}", ON + 1, b.mins, .7); b.burst("quote-svc", "INFO", "commonPool parallelism=3 active=1 queued=0", 0, ON, .5); b.burst("quote-gw", "error", "upstream timed out (110: Connection timed out) POST /quotes", ON + 3, b.mins, 4)
b.change("fq-777", "commit", 21, "quote-svc", "alva", "Composer: apply surcharges as soon as a rate arrives", ["src/main/java/freight/quotes/Composer.java"], diff("src/main/java/freight/quotes/Composer.java", '''@@ -58,12 +58,20 @@ public class Composer {
   Quote compose(Lane lane) {
-    List<CompletableFuture<Rate>> rates = carriers.stream()
-        .map(c -> CompletableFuture.supplyAsync(() -> c.rate(lane), ratePool)).toList();
-    Surcharges sur = surcharges.fetch(lane);
-    return Quote.of(lane, rates.stream().map(CompletableFuture::join).toList(), sur);
+    List<CompletableFuture<Priced>> rates = carriers.stream()
+        .map(c -> CompletableFuture.supplyAsync(() -> c.rate(lane))
+            .thenApplyAsync(r -> price(r, surcharges(lane)))).toList();
+    return Quote.of(lane, rates.stream().map(CompletableFuture::join).toList());
+  }
+
+  private Surcharges surcharges(Lane lane) {
+    return CompletableFuture.supplyAsync(() -> surchargeClient.fetch(lane)).get(10, SECONDS);
   }
''')); b.change("fq-rel-52", "deploy", 37, "quote-svc", "ci", "quote-svc 5.2", commit=b.chg[-1][1]["commit"]); b.change("cc-18", "deploy", 37.4, "carrier-c", "ci", "carrier-c adapter 1.8: new lane codes", ["carrierc/lanes.go"], diff("carrierc/lanes.go", '''@@ -7,3 +7,5 @@ var codes = map[string]string{
 	"DEHAM": "HAM1",
+	"NLRTM": "RTM2",
+	"BEANR": "ANR1",
 }
''')); b.change("gw-t", "config", 29, "quote-gw", "ops", "gateway: read timeout 8 s -> 10 s", ["nginx/quotes.conf"], diff("nginx/quotes.conf", '''@@ -14,3 +14,3 @@ location /quotes {
-    proxy_read_timeout 8s;
+    proxy_read_timeout 10s;
''')); b.change("sur-3", "deploy", 33, "surcharge-svc", "ci", "surcharge-svc 3.0: fuel table from July", [], None); b.change("fq-779", "commit", 44, "quote-svc", "alva", "metrics: name the executor", [], None)
b.alert("QuoteTimeouts", "quote-gw", 42, "critical", "POST /quotes 504 above 10%"); b.alert("BookingSlow", "booking-ui", 45, "warning", "booking page slower than 4 s")
b.edges = [["booking-ui", "quote-gw"], ["quote-gw", "quote-svc"], ["quote-gw", "lane-svc"], ["quote-svc", "surcharge-svc"], ["quote-svc", "carrier-a"], ["quote-svc", "carrier-b"], ["quote-svc", "carrier-c"]]
b.expect("code_thread_starvation", ["code"], ["quote-svc"], "fq-777", ["cc-18", "sur-3", "gw-t", "fq-779"], ON, [ON - 1, ON + 3], change_also=["fq-rel-52"], why="The children's spans keep their duration, quote-svc itself waits for seconds with commonPool 3/3 busy: 5.2 moved the work off ratePool and blocks in it; carrier-c was slow all along.")
b.write(opened=43, metrics=False)
