# Session policy of a credential broker tightened; it is fixed when a session is made, so pods fail one by one as their one-hour credentials are refreshed. Decoys: doc-web deploy minutes before the first failures, sdk.
from common import *
b = Bundle("docs-role-prefixes", 326, "2025-06-11T06:30:00Z", 4, 60, "claims-docs", ["claims", "letters", "photos", "policies"])
CH = 58; ON = 96; s = b.ramp(ON, ON + 24)
b.svc("doc-web", "cw", 60, 40, 280, fail=.34 * s, slow=1 + .2 * s); b.svc("doc-store", "prom", 75, 25, 180, fail=.33 * s, slow=1 - .25 * s); b.c("doc-store", 's3_requests_total{op="GetObject",code="403"}', 0, add=26 * s, start=3); b.c("doc-store", 's3_requests_total{op="GetObject",code="200"}', 70, mul=1 - .36 * s); b.c("doc-store", 's3_requests_total{op="PutObject",code="200"}', 9); b.c("doc-store", 's3_requests_total{op="PutObject",code="403"}', 0, start=0); b.g("doc-store", "sts_assume_role_rate", .07, .6); b.svc("letter-render", "statsd", 6, 300, 1800, fail=.4 * s); b.svc("claims-api", "cw", 80, 50, 330, fail=.05 * s); b.svc("photo-intake", "prom", 15, 90, 500); b.svc("ocr-worker", "statsd", 4, 900, 4000, traffic=1 - .5 * s); b.g("ocr-worker", "ocr_worker.queue", 30, .3, add=1100 * b.ramp(ON, 240), dec=0); b.g("s3-docs", "4xxErrors", 2, .6, add=1560 * s, dec=0); b.g("s3-docs", "AllRequests", 5200, .05, dec=0); b.k("s3-docs", "5xxErrors", 0, 2); b.g("s3-docs", "FirstByteLatency", 31, .1); b.g("aurora-claims", "DatabaseConnections", 120, .04, dec=0); b.g("aurora-claims", "CPUUtilization", 24, .07, 1 + 2 * b.pulse(30, 51, 2), hi=100)
b.chat("doc-web", "nginx", 300); b.chat("doc-store", "go", 260); b.chat("claims-api", "spring", 210); b.chat("letter-render", "dotnet", 100); b.chat("photo-intake", "go", 110); b.chat("cred-broker", "go", 60, [("info", "session issued role=docs-reader for pod doc-store-{d}")][:0])
for p in range(8):
    r0 = ON - .5 + 3 * p
    for h in (-60, 0, 60, 120):
        if 0 < r0 + h < b.mins: b.log("doc-store", r0 + h, "info", f"credentials refreshed role=docs-reader expires_in=3600s pod=doc-store-{p+1}")
    b.burst("doc-store", "error", [f"get object: operation error S3: GetObject, https response error StatusCode: 403, api error AccessDenied: Access Denied key=archive/2021/letters/{{hex}}.pdf pod=doc-store-{p+1}", f"get object: StatusCode: 403, api error AccessDenied key=archive/2019/photos/{{hex}}.jpg pod=doc-store-{p+1}"], r0 + .3, b.mins, .45)
b.burst("doc-store", "info", ["get object ok key=current/letters/{hex}.pdf", "get object ok key=archive/2020/letters/{hex}.pdf"], 0, ON - 1, .8); b.burst("doc-store", "info", "get object ok key=current/letters/{hex}.pdf", ON, b.mins, .8)
b.burst("doc-web", "error", '"GET /documents/{id}/pdf HTTP/1.1" 502 upstream=doc-store', ON, b.mins, 2.5, grow=True); b.burst("letter-render", "Error", "Attachment fetch failed: 502 Bad Gateway document {id}", ON + 2, b.mins, 1)
b.change("br-2291", "config", CH, "cred-broker", "cloud-platform", "docs-reader sessions: name the prefixes in use", ["broker/roles.yaml"], diff("broker/roles.yaml", '''@@ -31,8 +31,10 @@ roles:
   docs-reader:
     arn: arn:aws:iam::000000000000:role/docs-reader
     duration: 3600
     sessionPolicy:
       - action: s3:GetObject
-        resource: arn:aws:s3:::docs/*
+        resource:
+          - arn:aws:s3:::docs/current/*
+          - arn:aws:s3:::docs/intake/*
       - action: s3:PutObject
         resource: arn:aws:s3:::docs/*
'''))
sha = b.change("dw-140", "commit", 70, "doc-store", "jolien", "keys: build archive path from the claim year", ["store/keys.go"], diff("store/keys.go", '''@@ -16,7 +16,10 @@ func archiveKey(d Document) string {
-	return fmt.Sprintf("archive/%d/%s/%s", d.Year, d.Kind, d.Hash)
+	y := d.Year
+	if y == 0 {
+		y = d.Claim.OpenedAt.Year()
+	}
+	return fmt.Sprintf("archive/%d/%s/%s", y, d.Kind, d.Hash)
 }
''')); b.change("ds-rel-51", "deploy", 119, "doc-store", "codepipeline", "doc-store 5.1", commit=sha); b.change("dw-rel-77", "deploy", 94, "doc-web", "codepipeline", "doc-web 7.7: signed links live 5 min", ["src/links.ts"], None); b.change("sm-rot", "config", 84, "aurora-claims", "secretsmanager", "scheduled rotation of claims db password", [], None); b.change("fl-ocr", "flag", 90, "ocr-worker", "product", "ocr for archived letters: 10%"); b.change("cl-rel-9", "deploy", 20, "claims-api", "codepipeline", "claims-api 9.3")
b.alert("Documents5xx", "doc-web", 105, "critical", "document downloads fail above 5%"); b.alert("LetterRenderErrors", "letter-render", 110, "warning", "letters fail to render")
b.edges = [["doc-store", "cred-broker"], ["letter-render", "cred-broker"], ["claims-api", "doc-web"], ["doc-web", "doc-store"], ["doc-store", "s3-docs"], ["letter-render", "doc-store"], ["photo-intake", "s3-docs"], ["ocr-worker", "doc-store"], ["claims-api", "aurora-claims"]]
b.expect("config_iam_policy", ["configuration"], ["cred-broker", "doc-store", "s3-docs"], "br-2291", ["dw-rel-77", "ds-rel-51", "dw-140", "sm-rot", "fl-ocr", "cl-rel-9"], ON, [ON - 1, ON + 10], why="403 AccessDenied only for archive/*, which the session policy no longer names; a pod fails from its own credential refresh on, so the failures spread over 24 minutes; doc-store 5.1 came after they began and doc-web cannot give an S3 403.", delayed=True)
b.write(opened=106)
