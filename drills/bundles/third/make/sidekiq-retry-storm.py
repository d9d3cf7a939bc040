from common import *
b = B("sidekiq-retry-storm", 424, "2024-10-08T10:00:00Z", 2.5, 30, "crm-monolith")
D=22.0; T=60.5
f=b.growth(T,T+45,2)
b.edges=[["crm-web","crm-mysql"],["crm-web","queue-redis"],["sidekiq","queue-redis"],["sidekiq","crm-mysql"],["sidekiq","accounting-api"]]
b.svc("crm-web","dd",rps=62,p50=48,p99=390,slow=1+.5*f)
b.g("sidekiq",'queue_size{queue="default"}',14,.3,add=5200*f,dec=0); b.g("sidekiq",'queue_size{queue="mailers"}',3,.4,add=1500*b.ramp(T+15,150),dec=0); b.g("sidekiq",'queue_latency_s{queue="default"}',1.2,.2,add=640*f); b.g("sidekiq","retry_set_size",22,.1,add=7400*b.ramp(T,150),dec=0); b.g("sidekiq","busy_threads",17,.1,1+3.7*b.stp(T,4),hi=80,dec=0); b.c("sidekiq",'jobs_failed_total{class="InvoiceSyncWorker"}',.004,add=14*b.stp(T,6),start=40); b.c("sidekiq",'jobs_processed_total',12,mul=1+1.1*b.stp(T,6)); b.c("sidekiq",'jobs_failed_total{class="DigestWorker"}',.004,start=11); b.g("sidekiq","rss_mb",910,.01)
b.c("accounting-api-client",'responses_total{code="409"}',.002,add=13*b.stp(T,6),start=8); b.c("accounting-api-client",'responses_total{code="201"}',1.4); b.c("accounting-api-client",'responses_total{code="5xx"}',0,start=2); b.g("accounting-api-client","latency_ms",160,.08,1+.15*f)
b.g("queue-redis","used_memory_mb",140,.02,1+1.1*f); b.g("queue-redis","instantaneous_ops_per_sec",1500,.06,1+1.2*b.stp(T,6),dec=0)
b.g("crm-mysql","Threads_running",6,.15,1+.4*f); b.g("crm-mysql","Queries",1100,.05,1+.35*b.stp(T,6),dec=0); b.g("crm-mysql","cpu_percent",31,.08,1+.3*f); b.g("mail-relay","sent_per_min",75,.1,1-.75*b.ramp(T+15,T+40))
b.host_noise("bi-vm")
for c,s,n in (("crm-web","rails",620),("sidekiq","sidekiq",520),("queue-redis","redis",100),("crm-mysql","mysql",90)): b.chat(c,s,n)
b.trace_log("sidekiq","ERROR","InvoiceSyncWorker jid={hex} fail: Accounting::Conflict 409 \"document number already exists\", retry in 5s","Accounting::Conflict: 409 document number already exists\n  lib/accounting/client.rb:58:in `post!'\n  app/workers/invoice_sync_worker.rb:23:in `create_document'\n  app/workers/invoice_sync_worker.rb:14:in `perform'",T,150,6)
b.burst("sidekiq","WARN","queue default latency {n}s",T+12,150,1)
for h in (0,60,120): b.log("sidekiq",h+.4,"INFO","cron invoice_resync enqueued 41%d2 InvoiceSyncWorker jobs" % (h//60))
p="app/workers/invoice_sync_worker.rb"; sh=b.sha()
b.change("7be0","commit",8,"crm-monolith","r.kovac","Invoice sync: send attachments with the document",[p],diff(p,"""
@@ -3,19 +3,24 @@
 class InvoiceSyncWorker
   include Sidekiq::Worker
-  sidekiq_options queue: :default, retry: 5
+  sidekiq_options queue: :default, retry: 25
+  sidekiq_retry_in { |_count| 5 }
 
   def perform(invoice_id)
     invoice = Invoice.find(invoice_id)
-    return if invoice.synced_at?
-    doc = create_document(invoice)
-    invoice.update!(synced_at: Time.current, remote_id: doc.id)
+    doc = create_document(invoice)
+    invoice.attachments.each { |a| client.attach(doc.id, a.blob) }
+    invoice.update!(synced_at: Time.current, remote_id: doc.id)
   end
 
   private
 
   def create_document(invoice)
     client.post!('/documents', number: invoice.number, lines: invoice.lines.as_json)
   end
 end
"""),commit=sh); b.change("dpl-330","deploy",D,"crm-monolith","deploy-bot","crm 2024.41.2 (web and workers)",[],None,commit=sh)
b.inn("dpl-329","rb-view",3,"crm-monolith","deploy-bot"); b.inn("7be2","rb-scope",T-24,"crm-monolith","h.jansen",kind="commit"); b.change("cfg-12","config",T-1.5,"mail-relay","h.jansen","mail-relay: new DKIM selector",["relay/dkim.conf"],diff("relay/dkim.conf","@@ -1,3 +1,3 @@\n domain=mail.example\n-selector=s2023\n+selector=s2024\n keyfile=/etc/dkim/s2024.pem\n")); b.inn("cfg-13","tf-tags",T-15,"crm-mysql","platform-bot",kind="config"); b.change("cfg-14","config",T+50,"sidekiq","oncall","sidekiq concurrency 20 -> 30",["config/sidekiq.yml"],diff("config/sidekiq.yml","@@ -1,2 +1,2 @@\n-:concurrency: 20\n+:concurrency: 30\n :queues: [critical, default, mailers]\n"))
b.alert("QueueLatency","sidekiq",T+11,"critical","queue default waits longer than 60 s"); b.alert("MailsDelayed","mail-relay",T+33,"warning","Mails per minute low")
b.expect("retry storm of a job",["code"],["sidekiq","crm-monolith"],"dpl-330",["cfg-12","cfg-13","cfg-14","7be2"],T,(T-1,T+8),why="Only InvoiceSyncWorker fails (409 already exists, retry in 5 s); the shipped commit removed the synced_at guard and set 25 retries at 5 s; mails wait behind; it began with the first hourly invoice_resync after the deploy.",change_also=["7be0"],delayed=True)
b.write()
