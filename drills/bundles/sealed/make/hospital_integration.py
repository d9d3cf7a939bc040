# N5 healthcare: certificate notAfter 12:00:00; new handshakes fail, existing connections drain. Decoy interface-engine deploy.
from common import *
b = B("hospital_integration", 305, "2025-08-01T10:50:00", 130, 60, ids="CR-{n}")
b.chat_scale = 0.35
L = b.load(.2, 11); T = 70.0
b.topo("adt-source>mllp-gateway;mllp-gateway>interface-engine;interface-engine>lab-bus,pharmacy-hub,rad-bus;lab-portal>lab-bus;pharmacy-hub>formulary;bed-board>interface-engine")
dr = [add(T, .5, 1), add(T+4, .46, 14)]
b.svc("mllp-gateway", "statsd", 16, 40, .001, load=L); b.svc("interface-engine", "statsd", 22, 75, .001, load=L, errs=[lambda v, m: v + (.33 if m >= T else 0)*min(1, .45 + max(0, m-T)/25)], lat=[mul(T, 1.5, 2)], rt="jvm", reset=[])
b.svc("pharmacy-hub", "statsd", 7, 60, .001, load=L, rpsx=[mul(T, .55, .5), mul(T+2, .03, 20)]); b.svc("lab-bus", "statsd", 8, 50, .0008, load=L); b.svc("rad-bus", "statsd", 4, 55, .0008, load=L)
for q in ("pharmacy", "lab", "rad"): b.s("interface-engine", f"interface_engine.queue.{q}", 4, .4, kind="i", fx=[grow(T, 190)] if q == "pharmacy" else [])
b.s("pharmacy-hub", "pharmacy_hub.tls.handshake_ok", 40, 0, L, kind="p", fx=[mul(T, 0, .1)]); b.s("pharmacy-hub", "pharmacy_hub.tls.handshake_fail", .1, 0, kind="p", fx=[add(T, 160, .3)]); b.s("pharmacy-hub", "pharmacy_hub.conns.open", 38, .03, kind="i", fx=[to(T+1, 0, 26)]); b.s("formulary", "formulary.cache.hit", .97, .005, hi=1); b.s("bed-board", "bed_board.age_s", 12, .2); b.s("adt-source", "adt.messages", 900, 0, L, kind="p"); b.s("lab-portal", "lab_portal.sessions", 210, .04, L, kind="i", gaps=[(33, 37)])
b.chat("mllp-gateway", 1.6, ["I ACK AA msg={#100000-999999} type={ADT^A01|ORM^O01|ADT^A08}", "W MSH-5 missing, default applied"]); b.chat("interface-engine", 2.5, ["I routed msg={#100000-999999} -> {lab|pharmacy|rad} {~50}ms", "D transform map v188 ok"]); b.chat("interface-engine", 4, ["E send to pharmacy-hub:8443 failed\njavax.net.ssl.SSLHandshakeException: PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed\n\tat java.base/sun.security.ssl.Alert.createSSLException(Alert.java:131)\n\tat org.hospital.ie.out.TlsSender.connect(TlsSender.java:77)\nCaused by: java.security.cert.CertificateExpiredException: NotAfter: Fri Aug 01 12:00:00 UTC 2025", "W pharmacy queue depth {#100-4000}, next try in 30s"], T); b.chat("pharmacy-hub", 1.2, "spring"); b.chat("pharmacy-hub", 2, ["W TLS alert received: certificate_expired peer={ip}"], T); b.chat("lab-bus", 1, "go"); b.chat("rad-bus", .6, "go"); b.chat("bed-board", .7, "node"); b.chat("formulary", .3, "redis"); b.chat("lab-portal", .8, "rails"); b.chat("adt-source", .5, ["I sent {#10-40} messages"])
b.log(68.3, "interface-engine", "I interface-engine 6.12.0 started, senders lab,pharmacy,rad connected"); b.log(10, "pharmacy-hub", "D tls: serving certificate CN=pharmacy-hub.int serial=4f:{#10-99}")
d1 = b.change(67.9, "deploy", "interface-engine", "interface-engine 6.12.0: TLS 1.2 minimum, drop legacy ciphers", diff=D("ie/src/main/java/org/hospital/ie/out/TlsSender.java", """
         SSLContext ctx = SSLContexts.custom().loadTrustMaterial(trust, null).build();
-        return new SSLConnectionSocketFactory(ctx);
+        return new SSLConnectionSocketFactory(ctx,
+                new String[] {"TLSv1.2", "TLSv1.3"}, null,
+                SSLConnectionSocketFactory.getDefaultHostnameVerifier());
     }""", 70))
d2 = b.change(58, "config", "pharmacy-hub", "pharmacy-hub: ingress idle timeout 10m -> 15m", diff=D("helm/pharmacy-hub/values.yaml", " ingress:\n-  idleTimeout: 10m\n+  idleTimeout: 15m", 9))
d3 = b.change(T-5, "deploy", "formulary", "formulary data 2025-08", files=["data/formulary-2025-08.csv"], diff=None)
b.bystanders([('dietary', 'rails'), ('transport-desk', 'node'), ('claims-feed', 'batch')], 'statsd', L, 'interface-engine')
b.bg(5, ["lab-portal", "bed-board", "mllp-gateway", "rad-bus"], avoid=[(66, 74)])
b.alert(T+6, "PharmacyQueue", "critical", "interface-engine pharmacy queue above 1000", "orders not delivered", service="interface-engine")
b.done("hospital integration", "server certificate expired at noon", ["infrastructure", "configuration"], ["pharmacy-hub"], None, [d1, d2, d3], T, "the log names NotAfter 12:00:00, the very onset; lab and rad senders of the same new build keep working and pharmacy connected at its start.")
