from common import *
b = B("tf-egress-rule", 433, "2024-10-30T12:00:00Z", 3.5, 30, "ledger-platform")
D=58.0; T=89.5   # connections are recycled after 30 minutes
f=b.ramp(T,T+9)
b.edges=[["wallet-api","ledger-service"],["ledger-service","ledger-aurora"],["ledger-service","audit-kafka"],["payout-service","ledger-service"],["wallet-api","kyc-service"],["kyc-service","kyc-db"]]
b.svc("wallet-api","prom",rps=58,p50=30,p99=260,fail=.33*f,slow=1+6*f); b.svc("ledger-service","micrometer",rps=44,p50=12,p99=110,fail=.55*f,slow=1+24*f,slow50=1+2*f); b.svc2("payout-service","otel",rps=6,p50=80,p99=600,fail=.5*f,slow=1+5*f); b.svc2("kyc-service","grpc",rps=9,p50=50,p99=420)
b.g("ledger-service","hikaricp_connections",40,.004,1-.93*f,dec=0); b.g("ledger-service","hikaricp_connections_pending",0,add=46*f,dec=0); b.c("ledger-service","hikaricp_connections_timeout_total",0,add=13*f,start=2); b.g("ledger-service","hikaricp_connections_creation_seconds_max",.02,.2,add=4.9*b.stp(T,.4)); b.c("ledger-service","kafka_producer_record_errors",0,start=0)
b.g("ledger-aurora","DatabaseConnections",44,.01,1-.86*f,dec=0); b.g("ledger-aurora","CPUUtilization",31,.08,1-.6*f); b.g("ledger-aurora","CommitLatency",2.1,.1); b.g("ledger-aurora","FreeableMemory",9.1e9,.005,dec=-6); b.g("audit-kafka","messages_in_per_sec",44,.08,1-.5*f); b.k("audit-kafka","under_replicated_partitions",0)
b.g("vpc-flow",'rejected_packets_per_min{sg="sg-ledger-app"}',2,.5,add=420*b.ramp(T-.5,T+8)); b.g("vpc-flow",'rejected_packets_per_min{sg="sg-kyc"}',2,.5); b.pg("kyc-db",tps=40)
b.host_noise("bi-vm")
for c,s,n in (("wallet-api","go",420),("ledger-service","spring",380),("payout-service","ktor",160),("kyc-service","go",180),("audit-kafka","kafka",90)): b.chat(c,s,n)
b.burst("ledger-service","DEBUG","HikariPool-ledger - Closing connection pg-{hex}: (connection has passed maxLifetime)",0,T+9,.7)
b.burst("ledger-service","ERROR",["HikariPool-ledger - Failed to add connection: java.net.SocketTimeoutException: connect timed out (ledger-aurora:5432)","SQLTransientConnectionException: HikariPool-ledger - Connection is not available, request timed out after 5000ms"],T,210,6,True); b.burst("wallet-api","error","ledger.Post failed: 503 (transfer {hex})",T+1,210,5,True); b.burst("vpc-flow","INFO","REJECT OUT sg-ledger-app 10.20.4.{d} -> 10.20.61.14 tcp/5432",T-.4,210,2)
p="terraform/network/sg_ledger.tf"
b.change("tf-880","config",D,"ledger-network","d.quist","Security groups: one egress list for ledger-app",[p,"terraform/network/variables.tf"],diff(p,"""
@@ -14,20 +14,16 @@ resource "cloud_security_group" "ledger_app" {
   name = "sg-ledger-app"
 
-  egress {
-    description = "aurora"
-    from_port   = 5432
-    to_port     = 5432
-    protocol    = "tcp"
-    cidr_blocks = [var.subnet_data]
-  }
-  egress {
-    description = "kafka"
-    from_port   = 9092
-    to_port     = 9094
-    protocol    = "tcp"
-    cidr_blocks = [var.subnet_stream]
+  dynamic "egress" {
+    for_each = { kafka = [9092, 9094], https = [443, 443] }
+    content {
+      description = egress.key
+      from_port   = egress.value[0]
+      to_port     = egress.value[1]
+      protocol    = "tcp"
+      cidr_blocks = [var.subnet_stream]
+    }
   }
 }
"""))
b.change("led-77","deploy",T-5,"wallet-api","n.silva","wallet-api 2.20: memo up to 140 characters",["internal/transfer/memo.go"],diff("internal/transfer/memo.go","@@ -3,5 +3,5 @@\n-const maxMemo = 80\n+const maxMemo = 140\n \n func validMemo(s string) bool { return utf8.RuneCountInString(s) <= maxMemo }\n"),commit=b.sha()); b.inn("led-76","java-log",T-17,"ledger-service","n.silva",nodiff=True); b.inn("led-75","kt-test",25,"payout-service","n.silva"); b.change("led-78","deploy",T+24,"ledger-service","n.silva","Roll back ledger-service to the build of yesterday",[],None,commit=b.sha()); b.inn("tf-881","tf-tags",D+12,"audit-kafka","platform-bot",kind="config")
b.alert("LedgerErrors","ledger-service",T+4.5,"critical","ledger-service errors above 10%"); b.alert("WalletErrors","wallet-api",T+5.5,"critical","wallet-api 5xx above 8%"); b.alert("PayoutErrors","payout-service",T+7,"warning","payouts fail")
b.expect("egress rule dropped",["configuration"],["ledger-service","ledger-network"],"tf-880",["led-77","led-76","led-78","tf-881"],T,(D,T+5),why="Flow logs REJECT sg-ledger-app to 5432 and no new connection succeeds; tf-880 dropped the 5432 egress; old connections lived 30 min (maxLifetime); rollback of the service did not help.",delayed=True)
b.write()
