# TLS minimum raised on nginx; old POS terminals drop out: symptom is missing traffic. No diff of the culprit. Two decoys in the same minutes. Second unrelated anomaly: a warehouse sync GC.
from common import *
b = Bundle("edge-tls-baseline", 325, "2025-01-14T10:00:00Z", 2, 15, "retail-pos", ["sales", "receipts", "vouchers", "stock"])
ON = 64; s = b.stp(ON, 6)
b.c("edge-nginx", "nginx_connections_accepted", 210, mul=1 + .35 * s); b.c("edge-nginx", "nginx_ssl_handshakes", 190, mul=1 - .2 * s); b.c("edge-nginx", "nginx_ssl_handshakes_failed", .3, add=95 * s); b.g("edge-nginx", "nginx_connections_active", 2600, .04, 1 - .3 * s, dec=0); b.g("edge-nginx", "cpu", .22, .07, 1 + .2 * s)
b.svc("pos-api", "prom", 120, 25, 170, traffic=1 - .38 * s); b.g("pos-api", "terminals_online", 8200, .006, 1 - .37 * b.stp(ON, 9), dec=0); b.svc("receipt-svc", "prom", 90, 20, 120, traffic=1 - .38 * s); b.svc("voucher-svc", "statsd", 22, 30, 200, traffic=1 - .36 * s); b.svc("web-shop-api", "prom", 140, 40, 260); b.g("store-ops", "offline_sales_queued", 40, .3, add=21000 * b.ramp(ON + 2, 125), dec=0); b.svc("warehouse-sync", "micrometer", 10, 70, 500, slow=1 + 5 * b.pulse(58, 63, .5)); b.g("pg-pos", "connections", 90, .05, 1 - .2 * s, dec=0); b.c("pg-pos", "xact_commit", 330, mul=1 - .33 * s)
b.chat("edge-nginx", "nginx", 420); b.chat("pos-api", "go", 300); b.chat("receipt-svc", "go", 150); b.chat("web-shop-api", "node", 170); b.chat("store-ops", "laravel", 80)
b.burst("edge-nginx", "info", "SSL_do_handshake() failed (SSL: error:0A000102:SSL routines::unsupported protocol) while SSL handshaking, client: 172.2{d}.{d}.{d}, server: pos.example:443", ON, b.mins, 8); b.burst("edge-nginx", "info", "peer closed connection in SSL handshake, client: {ip}, server: shop.example:443", 0, b.mins, .4); b.burst("store-ops", "warning", "store {id}: terminal fw 4.1 in offline mode", ON + 2, b.mins, 3); b.log("edge-nginx", 63.4, "notice", "signal process started: reload"); b.burst("warehouse-sync", "WARN", "GC pause (G1 Humongous Allocation) 41{d}ms", 58, 63, 2)
b.change("inf-880", "config", 63.3, "edge-nginx", "secops", "edge: server blocks follow the 2025 crypto baseline", ["nginx/conf.d/baseline.conf"], None)
sha = b.change("pos-211", "commit", 45, "pos-api", "ferdi", "terminal heartbeat: mark offline after 60 s instead of 90 s", ["pos/heartbeat.go"], diff("pos/heartbeat.go", '''@@ -10,3 +10,3 @@ const (
-	offlineAfter = 90 * time.Second
+	offlineAfter = 60 * time.Second
 	sweepEvery   = 15 * time.Second
''')); b.change("pos-rel-30", "deploy", 62.5, "pos-api", "ci", "pos-api 3.0", commit=sha); b.change("cert-pos", "config", 41, "edge-nginx", "certbot", "renew certificate pos.example (same chain)", ["nginx/certs/pos.pem"], None); b.change("fl-vou", "flag", 61, "voucher-svc", "product", "vouchers on partner terminals: on"); b.change("inf-881", "config", 63.7, "edge-nginx", "secops", "edge: hsts max-age 1 year for shop.example", ["nginx/conf.d/shop.conf"], diff("nginx/conf.d/shop.conf", '''@@ -6,3 +6,4 @@ server {
   server_name shop.example;
+  add_header Strict-Transport-Security "max-age=31536000" always;
   location / {
''')); b.change("rc-40", "deploy", 80, "receipt-svc", "ci", "receipt-svc 4.0")
b.alert("TerminalsOnlineDrop", "pos-api", 70, "critical", "terminals_online fell by more than 15% in 10 minutes"); b.alert("OfflineSales", "store-ops", 77, "critical", "offline sales are queueing in stores", label="component")
b.edges = [["edge-nginx", "pos-api"], ["edge-nginx", "web-shop-api"], ["pos-api", "receipt-svc"], ["pos-api", "voucher-svc"], ["pos-api", "pg-pos"], ["receipt-svc", "pg-pos"], ["store-ops", "pos-api"], ["warehouse-sync", "pg-pos"]]
b.expect("config_tls_min_version", ["configuration"], ["edge-nginx"], "inf-880", ["pos-rel-30", "pos-211", "cert-pos", "fl-vou", "inf-881", "rc-40"], ON, [ON - 1, ON + 4], why="Handshakes fail at nginx with 'unsupported protocol' right after the reload of the baseline at 11:03; only old terminals are gone, the web shop is untouched; a shorter heartbeat limit cannot raise handshake failures and the renewed certificate had served for 22 minutes.")
b.write(opened=72)
