from common import *
b = B("openssl-base-image", 438, "2024-04-23T11:00:00Z", 2, 20, "telecom-provisioning")
D=50.0; T=51.2; R=95
f=b.stp(T,1)*(1-b.stp(R,.6))
b.edges=[["order-portal","provisioning-api"],["provisioning-api","sim-gateway"],["sim-gateway","hlr-carrier"],["number-porting","hlr-carrier"],["provisioning-api","order-db"],["billing-sync","order-db"]]
b.svc2("order-portal","otel",rps=36,p50=40,p99=330,fail=.05*f); b.svc("provisioning-api","prom",rps=18,p50=70,p99=600,fail=.31*f,slow=1-.3*f); b.svc2("sim-gateway","otel",rps=11,p50=120,p99=800,fail=.97*f,slow=1-.7*f,slow50=1-.6*f); b.svc2("number-porting","otel",rps=5,p50=150,p99=900)
b.c("sim-gateway",'outbound_errors_total{peer="hlr-carrier",kind="tls"}',0,add=10.5*f,start=0); b.c("sim-gateway",'outbound_errors_total{peer="hlr-carrier",kind="timeout"}',.003,start=18); b.c("number-porting",'outbound_errors_total{peer="hlr-carrier",kind="tls"}',0,start=0); b.c("number-porting",'outbound_requests_total{peer="hlr-carrier"}',5); b.g("sim-gateway","activations_waiting",6,.3,add=1200*b.ramp(T,R)*(b.m<R+6),dec=0); b.pg("order-db",tps=70); b.g("billing-sync","rows_per_min",900,.08); b.g("billing-sync","rss_mb",240,.02)
b.host_noise("cdr-loader")
for c,s,n in (("order-portal","node",340),("provisioning-api","ktor",300),("sim-gateway","worker",280),("number-porting","worker",180),("order-db","postgres",70),("billing-sync","batch",120)): b.chat(c,s,n)
st="ssl.SSLError: [SSL: UNSAFE_LEGACY_RENEGOTIATION_DISABLED] unsafe legacy renegotiation disabled (_ssl.c:1006)\n  File \"/app/simgw/carrier.py\", line 71, in activate\n    resp = self.http.post(self.base + '/soap/activate', data=body)\n  File \"/usr/local/lib/python3.11/ssl.py\", line 1104, in do_handshake"
b.trace_log("sim-gateway","ERROR","activation {hex} failed: SSLError(UNSAFE_LEGACY_RENEGOTIATION_DISABLED) host=hlr-carrier OpenSSL 3.0.11",st,T,R+.2,7); b.burst("provisioning-api","ERROR","sim-gateway answered 502 for order {id}",T+.2,R+.3,4); b.burst("number-porting","INFO","hlr-carrier port request {hex} accepted 200 (OpenSSL 1.1.1w)",0,120,1.2)
b.log("sim-gateway",D+.9,"INFO","sim-gateway 1.77.0 boot python 3.11.6 OpenSSL 3.0.11"); b.log("sim-gateway",R+.2,"INFO","sim-gateway 1.76.4 boot python 3.11.6 OpenSSL 1.1.1w")
b.change("rel-177","deploy",D,"sim-gateway","renovate","sim-gateway 1.77.0: base image python:3.11-bullseye -> 3.11-bookworm",["Dockerfile","requirements.lock"],diff("Dockerfile","""
@@ -1,7 +1,7 @@
-FROM registry.internal/python:3.11.6-slim-bullseye
+FROM registry.internal/python:3.11.6-slim-bookworm
 WORKDIR /app
 COPY requirements.lock .
 RUN pip install --no-cache-dir -r requirements.lock
 COPY simgw simgw
 CMD ["python", "-m", "simgw"]
"""),commit=b.sha())
b.change("rel-176","deploy",T-.4,"provisioning-api","e.tanaka","provisioning-api 12.3: eSIM profile class in the order",["src/main/kotlin/prov/EsimProfile.kt"],diff("src/main/kotlin/prov/EsimProfile.kt","@@ -3,5 +3,6 @@ package prov\n data class EsimProfile(\n     val iccid: String,\n+    val profileClass: String? = null,\n     val activationCode: String,\n )\n"),commit=b.sha()); b.inn("rel-175","ts-copy",14,"order-portal","e.tanaka"); b.change("rel-178","deploy",T+16,"provisioning-api","e.tanaka","Roll back provisioning-api to 12.2",[],None,commit=b.sha()); b.change("rel-179","deploy",R,"sim-gateway","oncall","Roll back sim-gateway to 1.76.4",[],None,commit=b.sha()); b.inn("cf-4","tf-alarm",D-7,"order-db","platform-bot",kind="config"); b.inn("rel-174","py-log",D-30,"billing-sync","e.tanaka")
b.alert("ActivationsFailing","sim-gateway",T+2.5,"critical","SIM activations fail"); b.alert("ProvisioningErrors","provisioning-api",T+3.5,"critical","provisioning-api 5xx above 15%")
b.expect("base image bump (TLS library)",["dependency","code"],["sim-gateway"],"rel-177",["rel-176","rel-178","cf-4"],T,(D,T+1.5),why="UNSAFE_LEGACY_RENEGOTIATION_DISABLED with OpenSSL 3 after the base image changed; number-porting talks to the same carrier with 1.1.1 and is fine; rollback of sim-gateway cured it, that of provisioning-api did not.")
b.write(metrics=False)
