# F2 SaaS: flag audit_sync on for one big tenant -> audit-db saturates, api threads block, all tenants suffer; audit-db (victim) and edge look worst.
from common import *
b = B("tenant_crm", 206, "2025-02-18T15:00:00", 120, 60, ids="chg_{n}", tz="+00:00", logms=False)
L = b.load(.25, 16); T = 52
b.topo("edge>crm-api,crm-web;crm-web>crm-api;crm-api>crm-db,audit-db,search;import-worker>crm-api;audit-shipper>audit-db;mailer>crm-db")
b.svc("edge", "cw", 260, 240, .002, load=L, errs=[add(T+9, .09, 8)], lat=[mul(T+5, 8, 8)]); b.svc("crm-api", "cw", 240, 130, .001, load=L, errs=[add(T+9, .10, 8)], lat=[mul(T+1, 5, 14)], rt="ruby"); b.svc("crm-web", "cw", 60, 310, .003, load=L, errs=[add(T+10, .07, 8)], lat=[mul(T+5, 5, 10)], rt="node")
b.s("crm-api", "AuditWriteLatencyP95{mode=async}", 3, .2); b.s("crm-api", "AuditWrites{mode=sync}", 0, 0, kind="k", fx=[lambda v, m: b.pois(4900) if m > T else v]); b.s("crm-api", "AuditWrites{mode=async}", 9400, 0, L, kind="p", fx=[mul(T, .49, 1)]); b.s("crm-api", "PumaBusyThreads", 41, .1, L, kind="i", fx=[mul(T+1, 3.4, 12)], hi=128)
b.pg("audit-db", 22, 100, 19, 200, L, style="cw", connx=[to(T, 98, 9)], cpux=[to(T, 96, 9)], qpsx=[mul(T, 21, 3)], latx=[mul(T, 22, 9)], lockx=[add(T+1, 44, 8)]); b.s("audit-db", "WriteIOPS", 310, .1, L, fx=[mul(T, 17, 3)], hi=6000); b.s("audit-db", "DiskQueueDepth", .6, .3, fx=[add(T+1, 41, 8)])
b.pg("crm-db", 90, 400, 31, 1900, L, style="cw", qpsx=[mul(T+9, .8, 8)]); b.s("search", "SearchLatency", 40, .1); b.s("search", "ClusterStatus.green", 1, 0, kind="k")
b.s("import-worker", "JobsRunning", 2, .4, kind="p", fx=[add(40, 6, 1, 58, 2)]); b.s("import-worker", "CPUUtilization", 14, .1, fx=[add(40, 45, 1, 58, 2)]); b.s("mailer", "MailSent", 120, 0, L, kind="p"); b.s("audit-shipper", "BatchLag", 8, .3, fx=[grow(T+2, .7)])
for t, r in (("t-harbour", 4700), ("t-lantern", 900), ("t-quill", 740), ("t-orbit", 610)): b.s("crm-api", f"TenantRequests{{tenant={t}}}", r, .03, L, kind="p")
for t in ("t-harbour", "t-lantern", "t-quill"): b.s("crm-api", f"TenantLatencyP95{{tenant={t}}}", .13, .1, fx=[mul(T, 4, 2), mul(T+3, 2.2, 10)] if t == "t-harbour" else [mul(T+6, 6, 8)])
b.chat("crm-api", 3, "rails", tenant="t-{harbour|lantern|quill|orbit|sable}", pods=4); b.chat("crm-api", 1, ["W audit insert {~700}ms mode=sync tenant=t-harbour action={contact.update|deal.update|login}"], T+1, T+8, pods=4); b.chat("crm-api", 4, ["W audit insert {~4000}ms mode=sync tenant=t-harbour action={contact.update|deal.update}", "E ActiveRecord::ConnectionTimeoutError: could not obtain a connection from the pool within 5.000 seconds (audit)\n  app/services/audit_log.rb:{#31-33}:in `write!'\n  app/controllers/concerns/audited.rb:14:in `block'", "E Rack::Timeout::RequestTimeoutException waited 15s tenant=t-{lantern|quill|orbit|sable}"], T+8, w=[3, 3, 2], pods=4)
b.chat("audit-db", .4, "pg"); b.chat("audit-db", 2, ["F remaining connection slots are reserved for non-replication superuser connections", "I process {#100-9999} still waiting for ShareLock on transaction {#1000000-9999999}", "I duration: {~3000}.{#100-999} ms execute: INSERT INTO audit_entries (tenant, prev_hash"], T+6, w=[1, 2, 4]); b.chat("crm-web", 1.3, "node"); b.chat("edge", 2, "nginx"); b.chat("edge", 2, ["E 504 GET /api/{contacts|deals} upstream=crm-api rt=30.000 tenant=t-{lantern|quill|orbit|harbour}"], T+9); b.chat("import-worker", .6, "batch"); b.chat("audit-shipper", .3, ["I shipped {#200-900} entries to cold store"]); b.chat("mailer", .4, "py")
G = b.change(T-.4, "flag", "crm-api", "audit_sync_writes: on for tenant t-harbour (contract item 14)", files=["flags/audit_sync_writes"], diff=D("flags/audit_sync_writes.json", """
 {
   "key": "audit_sync_writes",
-  "tenants": [],
+  "tenants": ["t-harbour"],
   "default": false
 }""", 0))
d1 = b.change(T-6.8, "deploy", "crm-api", "crm-api 2025.07.3: bulk edit endpoint", diff=D("app/controllers/api/bulk_controller.rb", """
+class Api::BulkController < Api::BaseController
+  def update
+    ids = params.require(:ids).first(200)
+    scope = policy_scope(Contact).where(id: ids)
+    scope.find_each { |c| c.update!(bulk_params) }
+    head :accepted
+  end
+end""", 0))
d2 = b.change(T-13, "config", "audit-db", "audit-db: backup window 03:00 -> 15:30 UTC moved back to 03:00", diff=D("terraform/audit_db.tf", "-  preferred_backup_window = \"15:30-16:00\"\n+  preferred_backup_window = \"03:00-03:30\"\n   instance_class          = \"db.m.large\"", 25))
d3 = b.change(T+4, "deploy", "crm-web", "crm-web 881", files=["package.json"], diff=None)
b.bystanders([('calendar-sync', 'py'), ('billing', 'rails'), ('pdf-render', 'node'), ('webhooks', 'go'), ('geo-api', 'go'), ('exports', 'batch')], 'cw', L, 'edge')
b.bg(5, ["search", "mailer", "import-worker", "audit-shipper"], -60, 100)
b.alert(T+9, "AuditDbConnections", "critical", "audit-db 98/100 connections", "", service="audit-db"); b.alert(T+14, "EdgeLatency", "critical", "edge p95 above 1.5s", "all tenants", service="edge")
b.done("multi-tenant CRM", "tenant flag turns on synchronous audit writes", ["configuration", "code", "capacity"], ["crm-api"], G, [d1, d2, d3], T, "sync audit writes start at zero and jump with the flag, only tenant t-harbour at first; the audit database saturates and then every tenant waits.")
