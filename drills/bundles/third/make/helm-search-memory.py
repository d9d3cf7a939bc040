from common import *
b = B("helm-search-memory", 431, "2024-07-23T10:00:00Z", 2.5, 30, "marketplace-search")
D=64.0; T=66.8
f=b.stp(T,1); osc=f*(.55+.45*np.sign(np.sin(2*np.pi*(b.m-T)/7.0)))
b.edges=[["market-web","listing-api"],["market-web","search-service"],["search-service","search-es"],["listing-api","listing-db"],["recommendation","search-service"]]
b.svc2("market-web","otel",rps=120,p50=45,p99=380,fail=.2*osc,slow=1+1.5*osc); b.svc2("listing-api","otel",rps=80,p50=14,p99=110); b.svc2("recommendation","grpc",rps=25,p50=30,p99=220,fail=.22*osc,slow=1+2*osc)
b.svc("search-service","prom",rps=75,p50=35,p99=260,fail=.3*osc,slow=1+3*osc,mem=1480,memm=1-.32*f-.2*osc,cpum=1+.8*osc)
lim=np.where(b.m<D+1.5,2048,1024); b.put("search-service",'kube_pod_container_resource_limits{resource="memory",unit="MiB"}',lim); b.put("search-service","kube_pod_container_status_restarts_total",np.floor(9+np.clip((b.m-T)/2.6,0,None)),None,0); b.put("search-service","kube_deployment_status_replicas_available",np.where(osc>.5,2,np.where(f>.5,4,6)),None,0); b.g("search-service","jvm_heap_used_mib",880,.05,1-.15*osc)
b.g("search-es","query_latency_p95_ms",24,.1); b.g("search-es","heap_used_percent",58,.05); b.g("search-es","query_rate",150,.06,1-.3*osc); b.k("search-es","cluster_status_yellow",0); b.pg("listing-db",tps=110)
b.host_noise("ci-runner")
for c,s,n in (("market-web","node",420),("listing-api","spring",220),("search-service","spring",320),("search-es","elastic",160),("recommendation","ml",200),("kube-events","kube",100)): b.chat(c,s,n)
b.burst("kube-events","Warning",["OOMKilled: container search in pod search-service-{hex} exceeded its memory limit 1Gi (exit code 137)","BackOff: back-off restarting failed container search in pod search-service-{hex}"],T,150,2); b.burst("search-service","INFO","Started SearchApplication 6.8.1 in 2{d}.4 seconds (process running, heap max 896m)",T+.6,150,.5)
b.burst("market-web","error","search-service: connect ECONNREFUSED path=/bff/search",T+.2,150,6); b.burst("recommendation","WARNING","search-service unavailable, fallback to popular",T+.3,150,3)
p="charts/search-service/values-prod.yaml"
b.change("gitops-611","config",D,"search-service","y.haddad","Right-size services after the cost review (search, step 3)",[p],diff(p,"""
@@ -21,12 +21,12 @@ resources:
   requests:
     cpu: "1"
-    memory: 1536Mi
+    memory: 768Mi
   limits:
     cpu: "2"
-    memory: 2Gi
+    memory: 1Gi
 env:
   JAVA_TOOL_OPTIONS: "-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError"
"""))
b.inn("gitops-610","helm-label",D-21,"recommendation","y.haddad",kind="config"); b.change("rel-120","deploy",T-1.1,"market-web","web-bot","market-web 77: sort filters by name",["src/search/filters.ts"],diff("src/search/filters.ts","@@ -6,4 +6,4 @@ export function filters(agg: Agg[]): Filter[] {\n-  return agg.map(toFilter);\n+  return agg.map(toFilter).sort((a, b) => a.label.localeCompare(b.label));\n }\n"),commit=b.sha()); b.change("rel-119","deploy",D-12,"search-service","b.lorenz","search-service 6.8.1: synonym file for garden",["src/main/resources/synonyms/garden.txt"],diff("src/main/resources/synonyms/garden.txt","@@ -1,2 +1,3 @@\n mower, lawnmower\n+hose, garden hose\n spade, shovel\n"),commit=b.sha()); b.inn("rel-118","java-dto",20,"listing-api","b.lorenz"); b.change("rel-121","deploy",T+30,"search-service","b.lorenz","Roll back search-service image to 6.8.0",[],None,commit=b.sha())
b.alert("SearchUnavailable","search-service",T+3,"critical","search-service errors above 15%"); b.alert("PodsRestarting","search-service",T+4,"warning","search-service restarts more than 3 times in 10 min"); b.alert("WebErrors","market-web",T+3.5,"warning","market-web errors above 5%")
b.expect("memory limit halved",["configuration"],["search-service"],"gitops-611",["rel-119","rel-120","rel-121"],T,(D,T+2),why="OOMKilled at limit 1Gi, working set was 1.48 GiB for long; the limit metric drops to 1024 at gitops-611; the image rollback (6.8.0) did not stop the kills.")
b.write()
