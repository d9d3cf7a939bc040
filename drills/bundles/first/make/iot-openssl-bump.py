from common import *
B = Bundle("iot-openssl-bump", 113, "device-shadow", "2025-03-05T07:30:00Z", 240, 60, peak=18)
C = 51.0
dec = lambda t: 1 if t < C else 1 - .31 * (1 - math.exp(-(t - C) / 55))
B.change("brk-207", "deploy", C, "mqtt-broker", "mqtt-broker 207: base image bullseye -> trixie (openssl 1.1.1 -> 3.5)", diff=D("Dockerfile", """@@ -1,7 +1,7 @@
-FROM debian:bullseye-slim
+FROM debian:trixie-slim
 RUN apt-get update && apt-get install -y --no-install-recommends \\
-    libssl1.1 ca-certificates && rm -rf /var/lib/apt/lists/*
+    libssl3 ca-certificates && rm -rf /var/lib/apt/lists/*
 COPY broker /usr/local/bin/broker
 COPY conf/ /etc/broker/
 ENTRYPOINT ["broker", "-c", "/etc/broker/broker.conf"]"""), boot=False)
B.change("shd-88", "deploy", 112, "device-shadow", "device-shadow 88: stale threshold as metric label", diff=D("src/main/java/shadow/StaleGauge.java", "@@ -20,3 +20,4 @@\n     Gauge.builder(\"shadow_stale_devices\", repo, r -> r.countStale(threshold))\n+        .tag(\"threshold\", threshold.toString())\n         .register(registry);"), boot=True, lang="jvm")
B.change("cfg-61", "config", 104, "load-balancer", "nlb: cross-zone on for mqtts listener", diff=D("infra/nlb.tf", "@@ -14,3 +14,3 @@\n   load_balancer_type = \"network\"\n-  enable_cross_zone_load_balancing = false\n+  enable_cross_zone_load_balancing = true\n }"))
B.change("ota-33", "config", 80, "ota", "ota: pause rollout of 3.2", files=["rollouts/3.2.yaml"])
B.filler(5, -300, 100, ["ota", "device-api", "command-router"], "u")
B.s("mqtt-broker", 'mqtt_connections{fw="2.x"}', 61000, .003, [lambda t, v: v * (dec(t) - .69) / .31 if t >= C else v], lo=600, integer=True); B.s("mqtt-broker", 'mqtt_connections{fw="3.x"}', 136000, .002, [spike(C + 1, .985, 2)], integer=True)
B.s("mqtt-broker", "mqtt_messages_received_total", 2100, .03, [lambda t, v: v * dec(t)], "ctr", .6); B.s("mqtt-broker", "tls_handshakes_total", 22, .1, [lambda t, v: v + (0 if t < C else 420 * (1 - math.exp(-(t - C) / 50)))], "ctr"); B.s("mqtt-broker", 'tls_handshake_failures_total{reason="other"}', .01, 0, kind="ctr"); B.s("mqtt-broker", 'tls_handshake_failures_total{reason="protocol"}', .004, 0, [lambda t, v: v + (0 if t < C else 415 * (1 - math.exp(-(t - C) / 50)))], "ctr"); B.s("mqtt-broker", "process_cpu_cores", 5.1, .05, [lambda t, v: v + (0 if t < C else 2.2 * (1 - math.exp(-(t - C) / 50)))]); B.s("mqtt-broker", "process_resident_memory_bytes", 3.1e9, .006)
B.svc("device-shadow", 260, 14, 70, lang="jvm", fx=dict(rps=[lambda t, v: v * dec(t)])); B.s("device-shadow", "shadow_stale_devices", 900, .03, [lambda t, v: v + 197000 * max(0, 1 - dec(t - 12))], integer=True)
B.svc("device-api", 70, 40, 200, lang="go"); B.svc("command-router", 30, 22, 110, lang="go", fx=dict(err=[lambda t, v: v + .25 * max(0, 1 - dec(t - 3)) / .31])); B.svc("ota", 5, 60, 300, lang="py"); B.pg("shadow-db", 50, 300, 25, fx=dict(tps=[lambda t, v: v * dec(t)]))
B.s("load-balancer", "ActiveFlowCount_TLS", 198000, .003, [lambda t, v: v * dec(t)], integer=True); B.s("load-balancer", "NewFlowCount", 1300, .05, [lambda t, v: v * (1 + (0 if t < C else 18 * (1 - math.exp(-(t - C) / 50))))], integer=True); B.s("load-balancer", "UnHealthyHostCount", 0, 0, [spike(C, 1, 1)], integer=True)
B.topo("load-balancer > mqtt-broker\nmqtt-broker > device-shadow\ndevice-shadow > shadow-db\ndevice-api > device-shadow command-router\ncommand-router > mqtt-broker\nota > device-api")
for p in range(4): B.log(C + p * 2, "mqtt-broker", "INFO", "draining node %d, moving to rolling restart; existing sessions handed over in 90 min window" % p); B.log(C + p * 2 + .4, "mqtt-broker", "INFO", "broker 207 up, OpenSSL 3.5.0, min protocol TLSv1.2 (system default), seclevel=2")
B.logs("mqtt-broker", "INFO", ["CONNECT dev-{hex8} fw=3.{n:0-2} proto=TLSv1.3", "PUBACK {hex4}"], pm=3); B.logs("mqtt-broker", "INFO", "CONNECT dev-{hex8} fw=2.{n:1-8} proto=TLSv1.1", 0, C, pm=1.2)
B.logs("mqtt-broker", "WARN", "handshake failed peer={ip} error:0A000102:SSL routines::unsupported protocol (client offered TLSv1.1)", C + .6, pm=5, ramp=40); B.logs("command-router", "ERROR", "command {hex8}: device dev-{hex8} fw=2.{n:1-8} not connected", C + 8, pm=1.6, ramp=60)
B.chat("device-shadow", ["shadow update dev-{hex8} v{n:100-900}"], 1.2, "jvm"); B.chat("device-api", [], .8, "go"); B.chat("ota", [], .3, "py"); B.chat("shadow-db", [], .3, "pg")
B.alert(117, "StaleDevices", "critical", "device-shadow", "more than 25k devices stale"); B.alert(125, "CommandFailures", "warning", "command-router", "commands undelivered above 10%")
B.finish(119, "dependency bump", ["dependency", "code"], ["mqtt-broker"], "brk-207", ["shd-88", "cfg-61"], C, why="Only firmware 2.x (TLS 1.1) drops off and handshakes fail with 'unsupported protocol' starting with the OpenSSL bump of brk-207; the shadow only counts the stale ones.", delayed=True, onset_to=75)
