# N1 banking: KYC vendor answers 200 with empty match lists, status page green. No internal cause. Decoy onboarding deploy 2 min before.
from common import *
b = B("account_opening", 301, "2025-04-23T09:00:00", 150, 60, ids="rel-{n}")
b.chat_scale = 0.4
L = b.load(.3, 13); T = 72
b.topo("mobile-bff>onboarding-api;web-signup>onboarding-api;onboarding-api>kyc-adapter,onboarding-db,doc-ocr;kyc-adapter>kyc-vendor;loans-api>kyc-adapter;case-mgmt>onboarding-db")
b.svc("mobile-bff", "otel", 190, 150, .002, load=L, rt="node"); b.svc("web-signup", "otel", 30, 220, .003, load=L); b.svc("onboarding-api", "otel", 18, 420, .002, load=L, lat=[mul(T, .8, 2)], rt="jvm"); b.svc("loans-api", "otel", 7, 380, .001, load=L); b.svc("kyc-adapter", "otel", 22, 900, .001, load=L, lat=[mul(T, .21, 1)])
b.s("kyc-adapter", "vendor.http.2xx", 1300, 0, L, kind="p"); b.s("kyc-adapter", "vendor.http.5xx", .3, 0, kind="p"); b.s("kyc-adapter", "vendor.response.bytes.mean", 3900, .05, fx=[mul(T, .032, 1)]); b.s("kyc-adapter", "vendor.candidates.mean", 1.31, .04, fx=[mul(T, 0, 1)]); b.s("kyc-adapter", "vendor.latency.p50_ms", 640, .06, fx=[to(T, 88, 1)])
b.s("onboarding-api", "onboarding.approved", 610, 0, L, kind="p", fx=[mul(T, .04, 2)]); b.s("onboarding-api", "onboarding.manual_review", 70, 0, L, kind="p", fx=[add(T, 560, 2)]); b.s("onboarding-api", "onboarding.abandoned", 90, 0, L, kind="p"); b.s("loans-api", "loans.identity_unverified", 8, 0, L, kind="p", fx=[add(T, 210, 2)]); b.s("case-mgmt", "cases.open", 310, .02, kind="i", fx=[grow(T, 9)]); b.s("doc-ocr", "ocr.confidence.mean", .93, .01, hi=1); b.s("doc-ocr", "ocr.latency.p95_ms", 800, .1); b.s("kyc-vendor", "synthetic.status_page.ok", 1, 0, kind="k")
b.pg("onboarding-db", 34, 150, 22, 420, L)
b.chat("kyc-adapter", 2.5, ["I vendor POST /v3/identity 200 {~640}ms bytes={#3000-5200} candidates={#1-2} score=0.{#80-99}", "D token refresh ok", "W vendor POST /v3/identity 200 {~1900}ms bytes={#3000-5200} candidates=1 score=0.{#40-60}"], 0, T); b.chat("kyc-adapter", 2.5, ["I vendor POST /v3/identity 200 {~88}ms bytes=124 candidates=0 body={\"status\":\"COMPLETE\",\"candidates\":[],\"dataset\":null}", "I vendor POST /v3/identity 200 {~85}ms bytes=124 candidates=0", "I vendor GET /status 200 {\"status\":\"operational\"}"], T, w=[3, 4, 1])
b.chat("onboarding-api", 2, "spring"); b.chat("onboarding-api", 2.5, ["W application {hex8} identity_not_found, routed to manual review", "I application {hex8} state=REVIEW"], T+.2, channel="{ios|android|web}"); b.chat("loans-api", .8, "spring"); b.chat("loans-api", .8, ["W identity unverified applicant={hex6}"], T+.4); b.chat("mobile-bff", 2.5, "node"); b.chat("web-signup", .8, "node"); b.chat("doc-ocr", .8, "py"); b.chat("case-mgmt", .6, "rails"); b.chat("onboarding-db", .4, "pg"); b.log(70.4, "onboarding-api", "I onboarding-api 3.41.0 started")
d1 = b.change(69.7, "deploy", "onboarding-api", "onboarding-api 3.41.0: stricter identity threshold for joint accounts", diff=D("onboarding/src/main/kotlin/bank/onboarding/IdentityPolicy.kt", """
 fun decide(app: Application, best: Candidate?): Decision {
     if (best == null) return Decision.REVIEW
-    return if (best.score >= 0.78) Decision.APPROVE else Decision.REVIEW
+    val threshold = if (app.isJoint) 0.85 else 0.78
+    return if (best.score >= threshold) Decision.APPROVE else Decision.REVIEW
 }""", 19))
d2 = b.change(51, "config", "kyc-adapter", "kyc-adapter: vendor credentials rotated (quarterly)", files=["vault/kyc-adapter/prod"], diff=None)
d3 = b.change(63, "deploy", "doc-ocr", "doc-ocr 0.90.2: crop MRZ before read", diff=D("ocr/mrz.py", "-    text = engine.read(page)\n+    box = find_mrz(page)\n+    text = engine.read(page.crop(box) if box else page)\n     return parse_mrz(text)", 33))
b.bystanders([('cards-api', 'spring'), ('fx-widget', 'node'), ('notify', 'py'), ('branch-locator', 'rails'), ('limits', 'go')], 'otel', L, 'mobile-bff')
b.bg(6, ["mobile-bff", "web-signup", "loans-api", "case-mgmt"], avoid=[(68, 75)])
b.alert(T+7, "OnboardingApprovalDrop", "critical", "auto-approval rate 4% (normal 88%)", "approved/(approved+review)", service="onboarding-api"); b.alert(T+20, "LoansUnverified", "warning", "loans: identity unverified above 100/min", "", service="loans-api")
b.done("account opening", "third party answers 200 with empty results", ["dependency", "data"], ["kyc-vendor", "kyc-adapter"], None, [d1, d2, d3], T, "the vendor's 200 answers shrink to 124 bytes and no candidates at 88 ms, for loans as well as onboarding; the policy diff only touches joint accounts, rotated credentials worked for 20 minutes.")
