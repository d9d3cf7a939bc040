from common import *
B = Bundle("cdn-vary", 111, "images", "2025-01-28T12:00:00Z", 200, 60, peak=20)
C = 31.0; T = 33.0
hit = [lambda t, v: v if t < C else .962 - .5 * (1 - math.exp(-(t - C) / 42)) + (v - .962)]
miss = lambda t: (1 - (.962 if t < C else .962 - .5 * (1 - math.exp(-(t - C) / 42)))) / .038
orps = [lambda t, v: v * miss(t)]
B.change("cdn-1207", "config", C, "cdn", "cdn: serve AVIF to browsers that can", diff=D("cdn/images.vcl", """@@ -22,10 +22,15 @@ sub vcl_recv {
   if (req.url ~ "^/img/") {
     set req.url = querystring.sort(req.url);
     unset req.http.Cookie;
   }
 }
 
 sub vcl_deliver {
 }
 
 sub vcl_fetch {
+  if (req.url ~ "^/img/") {
+    set beresp.http.Vary = "Accept, User-Agent";
+    set beresp.ttl = 1h;
+  }
-  set beresp.ttl = 1h;
+  else { set beresp.ttl = 1h; }
 }"""))
B.change("img-93", "deploy", 94, "image-origin", "image-origin 93: log format json", diff=D("server/log.go", "@@ -7,3 +7,3 @@\n-var logger = log.New(os.Stdout, \"\", log.LstdFlags)\n+var logger = slog.New(slog.NewJSONHandler(os.Stdout, nil))"), boot=True, lang="go")
B.change("rsz-51", "config", 101, "resizer", "resizer: hpa target cpu 70 -> 65", diff=D("charts/resizer/values.yaml", "@@ -18,2 +18,2 @@\n-  targetCPUUtilizationPercentage: 70\n+  targetCPUUtilizationPercentage: 65"))
B.change("web-700", "deploy", 66, "shop-web", "shop-web 700: category page redesign", files=["pages/category.tsx", "styles/category.css"], boot=True, lang="node")
B.filler(5, -200, 100, ["shop-web", "catalog", "resizer"], "q-")
B.s("cdn", "cdn.requests", 3800, .02, kind="cnt", season=1); B.s("cdn", "cdn.hit_ratio", .962, .003, hit, hi=1); B.s("cdn", "cdn.origin_fetches", 144, .03, orps, kind="cnt", season=1); B.s("cdn", "cdn.status_5xx", .4, .1, [add(112, 60, ramp=40)], kind="cnt"); B.s("cdn", "cdn.ttfb_ms.p95", 48, .06, [mul(60, 5, ramp=70)]); B.s("cdn", "cdn.objects_stored", 9.2e6, .002, [lambda t, v: v + max(0, t - C) * 1.1e5], integer=True)
B.svc("image-origin", 146, 30, 180, lang="go", style="statsd", fx=dict(rps=orps, lat=[mul(78, 9, ramp=60)], err=[add(105, .06, ramp=40)], cpu=[lambda t, v: min(98, v * miss(t) ** .55)])); B.svc("resizer", 60, 90, 420, lang="go", style="statsd", fx=dict(rps=orps, lat=[mul(70, 5, ramp=60)], cpu=[lambda t, v: min(99, v * miss(t) ** .55)], err=[add(100, .09, ramp=40)]))
B.svc("shop-web", 160, 60, 300, lang="node", style="statsd", fx=dict(rps=[])); B.svc("catalog", 200, 18, 80, lang="jvm", style="statsd")
B.s("resizer", "resizer.replicas", 6, 0, [setv(62, 14, ramp=40)], integer=True); B.s("object-store", "store.get.count", 62, .04, orps, kind="cnt", season=1); B.s("object-store", "store.get.ms.p95", 35, .1, [mul(90, 2.2, ramp=40)]); B.s("object-store", "store.throttled", 0, 0, [add(100, 3, ramp=40)], kind="cnt")
B.series = [q for q in B.series if q["c"] not in ("catalog",) and not (q["c"] == "shop-web" and "host" in q["m"])]
B.gapc("image-origin", 52, 55)
B.topo("shop-web > cdn catalog\ncdn > image-origin\nimage-origin > resizer object-store\nresizer > object-store")
B.chat("image-origin", ["GET /img/{hex8}.jpg?w={pick:320|640|1280} 200 {ms:30}ms"], 3, "go"); B.chat("resizer", ["resize {hex8} {pick:320|640|1280} {ms:80}ms"], 2, "go"); B.chat("shop-web", [], 1, "node"); B.chat("catalog", [], 1, "jvm")
B.logs("cdn", "INFO", "HIT /img/{hex8}.jpg pop={pick:fra|par|iad|sin} age={n:10-3500}", pm=2); B.logs("cdn", "INFO", "MISS /img/{hex8}.jpg pop={pick:fra|par|iad|sin} variant={hex4} variants={n:1-3}", 0, C, pm=.3); B.logs("cdn", "INFO", "MISS /img/{hex8}.jpg pop={pick:fra|par|iad|sin} variant={hex4} variants={n:8-160}", C + 4, pm=3, ramp=50)
B.logs("image-origin", "ERROR", "resize upstream: context deadline exceeded", 105, pm=2.5, ramp=30); B.logs("resizer", "ERROR", "vips: worker queue full (64), rejecting", 103, pm=2, ramp=20); B.logs("object-store", "WARN", "503 SlowDown bucket=img-prod", 102, pm=1)
B.alert(106, "OriginLatencyHigh", "critical", "image-origin", "image-origin p95 above 800ms", label="component"); B.alert(110, "CPUSaturated", "critical", "resizer", "resizer cpu above 95%", label="component"); B.alert(126, "CDN5xx", "warning", "cdn", "cdn 5xx above 1%", label="component")
B.finish(112, "configuration", ["configuration"], ["cdn"], "cdn-1207", ["img-93", "rsz-51"], T, why="Hit ratio starts to fall and origin fetches to rise right at cdn-1207 (Vary: User-Agent splits the cache) while cached objects age out; client traffic is flat and origin/resizer are victims.", delayed=True, onset_to=75)
