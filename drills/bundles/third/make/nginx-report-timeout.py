from common import *
b = B("nginx-report-timeout", 432, "2024-03-05T08:00:00Z", 2.5, 30, "backoffice")
D=70.0; T=70.2
f=b.stp(T,.3)
b.edges=[["ingress-nginx","report-service"],["ingress-nginx","admin-web"],["ingress-nginx","user-service"],["report-service","warehouse"],["admin-web","user-service"]]
b.c("ingress-nginx",'nginx_ingress_requests{service="report-service",status="504"}',0,add=1.6*f,start=3); b.c("ingress-nginx",'nginx_ingress_requests{service="report-service",status="200"}',3.2,mul=1-.5*f); b.c("ingress-nginx",'nginx_ingress_requests{service="admin-web",status="200"}',41); b.c("ingress-nginx",'nginx_ingress_requests{service="user-service",status="200"}',55); b.c("ingress-nginx",'nginx_ingress_requests{service="user-service",status="504"}',0,start=1); b.g("ingress-nginx",'upstream_response_seconds_p95{service="report-service"}',22,.1,1-.77*f); b.g("ingress-nginx",'upstream_response_seconds_p95{service="user-service"}',.09,.1); b.k("ingress-nginx","config_last_reload_successful",1); b.g("ingress-nginx","connections_active",260,.06)
b.svc("report-service","dd",rps=3.2,p50=6200,p99=26000,traffic=1+.25*f); b.c("report-service","client_aborted_total",.01,add=1.6*f,start=9); b.g("report-service","threads_busy",18,.1,1+.3*f)
b.svc2("admin-web","otel",rps=41,p50=30,p99=240,fail=.012*f); b.svc("user-service","micrometer",rps=55,p50=9,p99=70); b.g("warehouse","queries_running",9,.15,1+.25*f); b.g("warehouse","cpu_percent",47,.08,1+.12*f); b.g("warehouse","scan_gb_per_min",3.1,.1,1+.15*f)
b.host_noise("etl-vm")
for c,s,n in (("ingress-nginx","nginx",620),("report-service","dotnet",220),("admin-web","node",300),("user-service","spring",260)): b.chat(c,s,n)
b.burst("ingress-nginx","ERROR",['upstream timed out (110: Operation timed out) while reading response header from upstream, request: "GET /reports/monthly/{id} HTTP/1.1", upstream: report-service:8080','{ip} "GET /reports/export/{id} HTTP/1.1" 504 167 rt=5.001'],T,150,6); b.burst("report-service","Warning","client closed the connection before the report {id} was ready (5.0 s)",T,150,3); b.burst("admin-web","error","export {id} failed with 504 after 5.0s",T+.2,150,2)
p="ingress/nginx-configmap.yaml"
b.change("cfg-2201","config",D,"ingress-nginx","k.beck","Ingress: shed slow upstreams earlier",[p],diff(p,"""
@@ -6,12 +6,13 @@ metadata:
 data:
   keep-alive: "75"
-  proxy-connect-timeout: "10"
-  proxy-read-timeout: "90"
-  proxy-send-timeout: "90"
+  proxy-connect-timeout: "2"
+  proxy-read-timeout: "5"
+  proxy-send-timeout: "5"
   proxy-body-size: "32m"
+  proxy-next-upstream-tries: "1"
   use-gzip: "true"
"""))
b.change("rpt-55","deploy",D-3.2,"report-service","f.omar","report-service 1.88: totals row in the monthly report",["Reports/Monthly/TotalsRow.cs"],diff("Reports/Monthly/TotalsRow.cs","@@ -10,5 +10,6 @@ public static class TotalsRow\n     public static Row Build(IReadOnlyList<Row> rows) => new Row(\n         \"Total\",\n+        rows.Count,\n         rows.Sum(r => r.Net),\n         rows.Sum(r => r.Tax));\n"),commit=b.sha()); b.inn("adm-12","ts-type",31,"admin-web","web-bot"); b.change("rpt-56","deploy",T+21,"report-service","f.omar","Roll back report-service to 1.87",[],None,commit=b.sha()); b.inn("usr-8","java-log",T-14,"user-service","f.omar"); b.inn("cfg-2202","tf-alarm",T+35,"warehouse","platform-bot",kind="config")
b.alert("ReportsFailing","report-service",T+4,"critical","Share of 504 for report-service above 20%"); b.alert("AdminExports","admin-web",T+7,"warning","Exports fail in admin-web")
b.expect("proxy read timeout",["configuration"],["ingress-nginx"],"cfg-2201",["rpt-55","rpt-56","usr-8"],T,(D-.1,T+1),why="504 after exactly 5.0 s at the ingress, the report service itself answers as long as before (22 s) without errors; cfg-2201 set proxy-read-timeout to 5; rollback of the service did not help.")
b.write()
