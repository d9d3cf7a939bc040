# K2 healthcare: nginx proxy_read_timeout 300s -> 15s only hurts large studies. Decoy pacs deploy.
from common import *
b = B("radiology_imaging", 202, "2025-05-20T08:10:00", 100, 30, ids="{n}-{h}", logms=False)
L = b.load(.3, 11); T = 47
b.topo("modality-edge>imaging-nginx;imaging-nginx>pacs-archive,worklist,viewer-api;viewer-api>pacs-archive,render-gpu;pacs-archive>object-store,pacs-db;worklist>ris-db")
b.svc("imaging-nginx", "statsd", 46, 900, .002, load=L, errs=[add(T, .061, 1)], lat=[], p50x=[])
b.s("imaging-nginx", "nginx.status.504", .05, 0, kind="p", fx=[add(T, 74, 1)]); b.s("imaging-nginx", "nginx.upstream.response_time.max", 118, .22, fx=[to(T, 15.02, .5)]); b.s("imaging-nginx", "nginx.connections.active", 190, .06, L, kind="i", fx=[mul(T, .8, 2)])
b.svc("pacs-archive", "statsd", 18, 14000, .0008, load=L, lat=[mul(T, .98)], rt="jvm", reset=[44]); b.s("pacs-archive", "pacs.store.completed", 210, 0, L, kind="p", fx=[mul(T, 1.02)]); b.s("pacs-archive", "pacs.store.duplicate_sop", 1, 0, kind="p", fx=[add(T+.5, 66, 3)]); b.s("pacs-archive", "pacs.client.aborts", .3, 0, kind="p", fx=[add(T, 73, 1)])
b.svc("viewer-api", "statsd", 22, 420, .002, load=L, rt="node"); b.svc("worklist", "statsd", 9, 60, .001, load=L)
b.s("modality-edge", "edge.queue.studies", 12, .3, kind="i", fx=[grow(T, 2.3)]); b.s("modality-edge", "edge.send.retries", .4, 0, kind="p", fx=[add(T, 70, 2)]); b.s("modality-edge", "edge.link.mbps", 410, .1, L, fx=[mul(T, 1.4, 5)])
b.s("object-store", "put.latency.p95", 210, .1); b.s("object-store", "bytes.in", 3.9e8, .1, L, fx=[mul(T, 1.35, 4)]); b.s("object-store", "errors", 0, 0, kind="k"); b.pg("pacs-db", 30, 100, 18, 260, L); b.s("render-gpu", "gpu.util", 37, .15, L); b.s("ris-db", "cpu", 14, .1, fx=[mul(20, 3, 1, 31)])
b.chat("imaging-nginx", 4, ["I {ip} \"POST /dicomweb/studies HTTP/1.1\" 200 rt={#2-12}.{#100-999} len={#4-60}MB modality={CR|US|DX}", "I {ip} \"GET /worklist HTTP/1.1\" 200 rt=0.0{#10-90}", "I {ip} \"GET /viewer/series/{hex6} HTTP/1.1\" 200 rt=0.{#100-900}"]); b.chat("imaging-nginx", .7, ["I {ip} \"POST /dicomweb/studies HTTP/1.1\" 200 rt={#24-140}.{#100-999} len={#300-1900}MB modality={CT|MR}"], 0, T)
b.chat("imaging-nginx", 5, ["E *{#10000-99999} upstream timed out (110: Operation timed out) while reading response header from upstream, client: {ip}, request: \"POST /dicomweb/studies HTTP/1.1\", upstream: \"http://pacs-archive:8042\" modality={CT|MR}", "I {ip} \"POST /dicomweb/studies HTTP/1.1\" 504 rt=15.0{#10-20} len={#300-1900}MB modality={CT|MR}"], T)
b.chat("pacs-archive", 2, ["I stored study {hex8} instances={#2-90} in {~4000}ms", "I index commit ok", "W unknown private tag (0009,10{#10-99})"], pods=2); b.chat("pacs-archive", 3.5, ["W client closed connection before response, study {hex8} stored anyway in {#16-130}s", "W duplicate SOPInstanceUID, replaced study {hex8}"], T, pods=2)
b.chat("modality-edge", 1, ["I sent study {hex8} modality={CR|US|DX|CT|MR}"]); b.chat("modality-edge", 3, ["E send study {hex8} failed: HTTP 504, requeued attempt={#1-6} modality={CT|MR}"], T); b.chat("viewer-api", 2, "node"); b.chat("worklist", .8, "py"); b.chat("pacs-db", .5, "pg")
b.log(T-.1, "imaging-nginx", "I signal process started (reload), config rev 9f2c"); b.log(44.1, "pacs-archive", "I pacs-archive 12.4.3 ready")
G = b.change(T-1.5, "config", "imaging-nginx", "nginx: shared proxy defaults for all vhosts", diff=D("nginx/conf.d/proxy_defaults.conf", """
+proxy_connect_timeout 3s;
+proxy_send_timeout    15s;
+proxy_read_timeout    15s;
+proxy_next_upstream   error timeout;
+proxy_buffering       on;""", 0) + D("nginx/sites/imaging.conf", """
   location /dicomweb/ {
+    include conf.d/proxy_defaults.conf;
     proxy_pass http://pacs-archive:8042;
     client_max_body_size 4g;
-    proxy_request_buffering off;
-    proxy_read_timeout 300s;
-    proxy_send_timeout 300s;
+    proxy_request_buffering off;
   }""", 22))
d1 = b.change(43.6, "deploy", "pacs-archive", "pacs-archive 12.4.3: verify checksum before ack", diff=D("pacs/src/main/java/pacs/StoreService.java", """
     StoredStudy s = writer.write(parts);
+    if (!checksums.matches(s)) {
+        throw new CorruptStudyException(s.uid());
+    }
     index.commit(s);
     return s;""", 91))
d2 = b.change(T-9, "config", "object-store", "object-store: lifecycle cold tier after 400 days", diff=D("terraform/store.tf", "   rule {\n-    days  = 365\n+    days  = 400\n     class = \"COLD\"\n   }", 30))
b.bg(5, ["viewer-api", "worklist", "ris-db", "modality-edge"])
b.alert(T+4, "Imaging504", "critical", "DICOM store 504 rate 6%", "nginx.status.504 > 20/min", service="imaging-nginx"); b.alert(T+18, "EdgeQueue", "warning", "modality queue growing", "", service="modality-edge")
b.done("radiology imaging", "proxy timeout cut to 15s hits only large CT/MR uploads", ["configuration"], ["imaging-nginx"], G, [d1, d2], T, "504s come at exactly 15.0 s after the nginx reload while the archive still finishes those studies; small modalities are fine.")
