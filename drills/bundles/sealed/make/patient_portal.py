# C4 healthcare Rails: eager loading removed -> N+1; the shared database and scheduling look worst.
from common import *
b = B("patient_portal", 104, "2025-01-21T12:30:00", 150, 60, ids="{h}", tz="+00:00")
L = b.load(.3, 13); T = 71
b.topo("edge-nginx>patient-portal,scheduling;patient-portal>clinical-db,doc-store;scheduling>clinical-db,sms-relay;lab-results>clinical-db;billing-export>clinical-db")
b.svc("patient-portal", "otel", 46, 260, .002, load=L, errs=[add(T+8, .02, 8)], lat=[mul(T, 3.2, 4)], rt="ruby", cpux=[mul(T, 1.35)], reset=())
b.s("patient-portal", "rails.sql.queries_per_request", 11, .08, fx=[mul(T, 7.8, 3)]); b.s("patient-portal", "rails.allocations_per_request", 41000, .05, fx=[mul(T, 3.1, 3)])
b.s("patient-portal", "puma.threads.busy", 11, .12, L, fx=[mul(T, 3.2, 6)], kind="i", hi=40)
b.svc("scheduling", "otel", 30, 120, .001, load=L, errs=[add(T+6, .14, 10)], lat=[mul(T+3, 16, 8)], rt="jvm"); b.s("scheduling", "hikari.pending", .1, .3, kind="p", fx=[add(T+5, 31, 8)])
b.svc("lab-results", "otel", 14, 90, .001, load=L, lat=[mul(T+3, 9, 8)], errs=[add(T+9, .05, 8)])
b.svc("edge-nginx", "otel", 92, 200, .003, load=L, errs=[add(T+6, .05, 8)], lat=[mul(T+2, 3.5, 6)])
b.pg("clinical-db", 96, 250, 36, 3300, L, cpux=[mul(T, 2.9, 4)], qpsx=[mul(T, 4.4, 4)], connx=[mul(T, 2.2, 8)], latx=[mul(T+2, 7, 6)])
b.s("clinical-db", "pg_stat_database_tup_returned", 410000, .06, L, fx=[mul(T, 1.5, 3)]); b.s("clinical-db", "pg_buffer_hit_ratio", .994, .001)
b.s("billing-export", "rows_exported", 900, .2, fx=[to(0, 0, 0, 30, 0)]); b.s("billing-export", "cpu.pct", 12, .1, fx=[add(30, 20, 2, 52)])
b.s("doc-store", "s3.get.latency_ms", 38, .1); b.s("doc-store", "s3.4xx", .6, 0, kind="p"); b.s("sms-relay", "sms.sent", 40, 0, L, kind="p", fx=[mul(T+6, .8, 8)])
cl = ["I Completed 200 OK in {~110} ms GET /claims (9 queries, ActiveRecord: {~18}ms)", "I Completed 200 OK in {~95} ms GET /appointments (12 queries, ActiveRecord: {~22}ms)", "I Completed 200 OK in {~70} ms GET /messages (7 queries, ActiveRecord: {~12}ms)"]
cl2 = ["I Completed 200 OK in {~2600} ms GET /claims ({#180-760} queries, ActiveRecord: {~2100}ms)", "I Completed 200 OK in {~260} ms GET /appointments (12 queries, ActiveRecord: {~160}ms)", "W Rack::Timeout::RequestTimeoutException GET /claims Request ran for longer than 15000ms\n  app/models/claim.rb:{31|58}:in `adjudications'\n  app/views/claims/_row.html.erb:14:in `block in render'\n  app/controllers/claims_controller.rb:12:in `index'"]
b.chat("patient-portal", 4, cl, 0, T, pods=3); b.chat("patient-portal", 4, cl2, T, w=[6, 5, 1], pods=3); b.chat("patient-portal", .8, "rails")
b.chat("scheduling", 2, "spring"); b.chat("scheduling", 5, ["E HikariPool-1 - Connection is not available, request timed out after 30000ms", "W slot lookup slow {~3000}ms clinic={#10-99}"], T+6)
b.chat("clinical-db", 1, "pg"); b.chat("clinical-db", 3, ["I duration: {~900}.{#100-999} ms  execute: SELECT \"adjudications\".* FROM \"adjudications\" WHERE \"adjudications\".\"claim_id\" = $1", "I duration: {~700}.{#100-999} ms  execute: SELECT \"line_items\".* FROM \"line_items\" WHERE \"line_items\".\"claim_id\" = $1"], T+3)
b.chat("edge-nginx", 2, "nginx"); b.chat("edge-nginx", 2, ["E upstream timed out (110: Connection timed out) while reading response header, upstream: scheduling:8080"], T+7); b.chat("lab-results", .8, "py"); b.chat("billing-export", .7, ["I chunk {#1-90} exported rows={#800-1200}"], 30, 52)
b.log(70.4, "patient-portal", "I Puma starting in cluster mode, rev 7c1 (2025.3.2)")
G = b.change(69.8, "deploy", "patient-portal", "patient-portal 2025.3.2: show adjudication state on the claims list", diff=D("app/controllers/claims_controller.rb", """
   def index
-    @claims = current_patient.claims
-                             .includes(:line_items, :adjudications)
-                             .order(service_date: :desc)
+    @claims = ClaimPolicy::Scope.new(current_patient, Claim).resolve.order(service_date: :desc)
     @claims = @claims.page(params[:page]).per(100)
   end""", 8) + D("app/views/claims/_row.html.erb", """
   <td><%= claim.service_date %></td>
   <td><%= number_to_currency(claim.line_items.sum(&:amount)) %></td>
+  <td><%= claim.adjudications.max_by(&:decided_at)&.state %></td>
 </tr>""", 10))
d1 = b.change(66, "config", "clinical-db", "clinical-db: work_mem 16MB -> 32MB", diff=D("terraform/rds/clinical.tf", "   parameter {\n     name  = \"work_mem\"\n-    value = \"16384\"\n+    value = \"32768\"\n   }", 44))
d2 = b.change(70.7, "deploy", "scheduling", "scheduling 4.4.1: slot search by specialty", diff=D("scheduling/src/main/java/care/scheduling/SlotQuery.java", """
     List<Slot> find(SlotFilter f) {
+        if (f.specialty() != null) {
+            return repo.findOpenBySpecialty(f.clinic(), f.specialty(), PageRequest.of(0, 50));
+        }
         return repo.findOpen(f.clinic(), PageRequest.of(0, 50));
     }""", 27))
b.bg(5, ["lab-results", "sms-relay", "billing-export", "edge-nginx"], avoid=[(64, 74)])
b.alert(T+9, "SchedulingLatency", "critical", "scheduling p95 above 1.5s", "p95 1.9s", service="scheduling"); b.alert(T+8, "ClinicalDbCPU", "critical", "clinical-db CPU 97%", "CPU above 90% for 5m", service="clinical-db"); b.alert(T+12, "LabResultsSlow", "warning", "lab-results p95 0.8s", "", service="lab-results")
K = T
db = lambda ms, r: N("clinical-db", "SELECT", ms, lat=[mul(K+2, r, 5)])
b.traces(45, N("edge-nginx", "GET /claims", 4, [N("patient-portal", "ClaimsController#index", 60, [N("clinical-db", "SELECT claims", 8, lat=[mul(K+2, 3, 5)])] + [N("clinical-db", "SELECT adjudications", 3, lat=[mul(K+2, 4, 5)], prob=.9 if i < 1 else .0) for i in range(1)])]), 0, K)
b.traces(30, N("edge-nginx", "GET /claims", 4, [N("patient-portal", "ClaimsController#index", 160, [N("clinical-db", "SELECT claims", 20)] + [N("clinical-db", "SELECT adjudications WHERE claim_id=?", 24) for i in range(14)])]), K+1)
b.traces(60, N("edge-nginx", "GET /slots", 4, [N("scheduling", "SlotQuery.find", 20, [db(30, 12)], err=lambda m: .15 if m > K+7 else .002)]))
b.done("patient portal on a shared clinical database", "N+1 after eager loading was removed; shared DB and its other clients look worst", ["code"], ["patient-portal"], G, [d1, d2], T, "queries per request in patient-portal rise 8x at its deploy, before the database and scheduling degrade.")
