from common import *
b = B("fn-month-end-date", 428, "2024-08-30T19:30:00Z", 6, 60, "subscription-functions")
# the day turns to the 31st at minute 270
D=62.0; T=270.0
f=b.stp(T,.5)

b.svc("account-web","cw",rps=34,p50=60,p99=420,fail=.03*f,traffic=b.day(.25,0)); b.svc("billing-api","cw",rps=14,p50=45,p99=300,fail=.24*f)
b.svc2("fn-renewal","lambda",rps=6,p50=120,p99=700,fail=.98*f,traffic=1+1.8*f,slow=1-.6*f,slow50=1-.3*f); b.svc2("fn-receipt","lambda",rps=5,p50=80,p99=500,traffic=1-.7*f)
b.g("renewal-queue","ApproximateNumberOfMessagesVisible",14,.3,add=1500*b.ramp(T,360),dec=0); b.g("renewal-queue","ApproximateAgeOfOldestMessage",8,.3,add=3600*b.ramp(T,T+60)); b.put("renewal-queue","dlq_messages",np.floor(3+900*b.ramp(T+8,360)),None,0)
b.g("billing-table","ConsumedWriteCapacityUnits",38,.1,1-.6*f); b.g("billing-table","ConsumedReadCapacityUnits",90,.1,1+.4*f); b.k("billing-table","ThrottledRequests",0); b.g("billing-table","SuccessfulRequestLatency",4.2,.08); b.k("billing-scheduler","Errors",0); b.g("billing-scheduler","renewals_scheduled",310,.08,dec=0)
b.g("report-export","cpu_percent",8,.15,add=70*b.pulse(T-24,T-9,1))
for c,s,n in (("account-web","node",420),("billing-api","node",300),("fn-renewal","lambda",420),("fn-receipt","lambda",260),("billing-scheduler","worker",140)): b.chat(c,s,n)
st="Traceback (most recent call last):\n  File \"/var/task/renewal.py\", line 57, in renew\n    until = next_period_end(sub.period_start)\n  File \"/var/task/period.py\", line 14, in next_period_end\n    return start.replace(year=year, month=month)\nValueError: day is out of range for month"
b.trace_log("fn-renewal","ERROR","renewal of subscription {id} failed: ValueError: day is out of range for month",st,T+.1,360,7); b.burst("billing-api","error","POST /renew 500 subscription={id} (fn-renewal)",T+.4,360,2)
b.burst("fn-renewal","WARN","message {uuid} moved to dead letters after 3 receives",T+8,360,2)
p="period.py"
b.change("fn-204","deploy",D,"fn-renewal","s.amara","fn-renewal v204: own period arithmetic, drop the date library",[p,"requirements.txt"],diff(p,"""
@@ -1,8 +1,14 @@
-from datetools import add_months
"""+'''+from datetime import datetime
 
-def next_period_end(start):
-    return add_months(start, 1)
+
+def next_period_end(start: datetime) -> datetime:
+    """same day of the next month"""
+    month = start.month + 1
+    year = start.year
+    if month > 12:
+        month = 1
+        year += 1
+    return start.replace(year=year, month=month)
'''),commit=b.sha())
b.change("fn-61","deploy",T-4,"fn-receipt","s.amara","fn-receipt v61: vat line for NO",["src/vat.ts"],diff("src/vat.ts","@@ -3,5 +3,6 @@ export const VAT: Record<string, number> = {\n   DE: 0.19,\n   FR: 0.2,\n+  NO: 0.25,\n   SE: 0.25,\n };\n"),commit=b.sha())
b.inn("fn-205","ts-header",T-33,"billing-api","k.dorn"); b.inn("fn-206","ts-copy",150,"account-web","k.dorn"); b.inn("fn-207","tf-alarm",T-75,"renewal-queue","platform-bot",kind="config"); b.inn("fn-208","test-bump",T-12,"billing-api","dep-bot",kind="commit"); b.change("fn-209","config",T+22,"fn-renewal","oncall","fn-renewal memory 512 -> 1024 (incident)",["functions.yaml"],diff("functions.yaml","@@ -14,3 +14,3 @@ renewal:\n-    memory: 512\n+    memory: 1024\n     timeout: 20\n"))
b.alert("FnRenewalErrors","fn-renewal",T+3,"critical","fn-renewal errors above 50%",label="function"); b.alert("Billing5xx","billing-api",T+6,"warning","billing-api 5xx"); b.alert("DeadLetters","renewal-queue",T+16,"warning","dead letters grow",label="queue")
b.expect("month-end date",["code"],["fn-renewal"],"fn-204",["fn-61","fn-205","fn-208","fn-209"],T,(T-1,T+2),why="At 00:00 UTC on the 31st every renewal throws 'day is out of range for month' in period.py next_period_end, rewritten by fn-204 four hours before (31 September does not exist).",delayed=True)
b.write()
