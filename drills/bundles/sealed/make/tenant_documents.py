# C7 SaaS: tenant missing from cache key; hit ratio jumps UP, authz denies. Decoy authz deploy 1 min before.
from common import *
b = B("tenant_documents", 107, "2025-09-03T07:15:00", 120, 60, ids="rel-{n}", order="series")
L = b.load(.35, 13); T = 64
b.topo("gateway>workspace-api,search,billing-ui;workspace-api>doc-cache,authz,workspace-db;search>authz,search-index;billing-ui>workspace-api;webhook-sender>workspace-api")
b.svc("gateway", "otel", 380, 150, .002, load=L, rt="node"); b.svc("workspace-api", "otel", 240, 85, .001, load=L, lat=[mul(T, .62, 4)], rt="node")
b.s("workspace-api", "http.server.responses.403", 9, 0, L, kind="p", fx=[add(T, 1650, 6)]); b.s("gateway", "http.server.responses.403", 14, 0, L, kind="p", fx=[add(T, 1640, 6)]); b.s("gateway", "http.server.responses.404", 60, 0, L, kind="p")
b.svc("authz", "otel", 300, 9, .0002, load=L, reset=[]); b.s("authz", "authz.decisions.deny", 22, 0, L, kind="p", fx=[add(T, 1700, 6)]); b.s("authz", "authz.policy.version", 311, 0, kind="k", fx=[add(62.6, 1, 0)])
b.s("doc-cache", "redis.hit_ratio", .61, .015, fx=[to(T, .955, 5)], hi=1); b.s("doc-cache", "redis.keys", 412000, .004, kind="i", fx=[mul(T, .45, 50)]); b.s("doc-cache", "redis.ops", 3300, .05, L); b.s("doc-cache", "redis.evictions", 0, 0, kind="k")
b.svc("search", "otel", 70, 130, .001, load=L, lat=[mul(T, 1.03)]); b.s("search", "search.results.filtered_by_authz", 40, 0, L, kind="p"); b.svc("billing-ui", "otel", 12, 180, .002, load=L)
b.pg("workspace-db", 66, 200, 33, 1500, L, cpux=[mul(T, .55, 5)], qpsx=[mul(T, .42, 5)]); b.s("search-index", "index.docs", 48e6, .0005); b.s("search-index", "index.merge.rate_mb", 30, .3, fx=[mul(88, 4, 1, 99)]); b.s("webhook-sender", "webhook.delivered", 210, 0, L, kind="p"); b.s("webhook-sender", "webhook.backlog", 6, 0, kind="p", fx=[mul(30, 9, 1, 36)])
ten = "t-{norfell|oakline|pellworm|quarry|ravel|solis|umbra}"
b.chat("workspace-api", 3, ["I GET /w/home 200 {~40}ms", "I GET /w/documents/{hex6} 200 {~45}ms", "D cache {hit|miss} key=doc:" + "{norfell|oakline|pellworm}:{home|recent|{hex4}}", "W slow preview render {~1800}ms"], 0, T, tenant=ten)
b.chat("workspace-api", 3, ["I GET /w/home 200 {~22}ms", "I GET /w/documents/{hex6} 200 {~30}ms", "D cache hit key=doc:{home|recent|pinned}", "W GET /w/{home|recent|pinned} 403 document belongs to another workspace"], T, tenant=ten, w=[4, 4, 4, 4])
b.chat("authz", 1.5, ["I decision allow action=read policy=311", "D policy bundle poll unchanged", "W decision deny action=write reason=role"], 0, T); b.chat("authz", 3, ["I decision allow action=read policy=312", "W decision deny action=read reason=resource_tenant_mismatch subject_tenant=t-{norfell|oakline|quarry} resource_tenant=t-{ravel|solis|umbra}"], T, w=[2, 4])
b.chat("gateway", 2, "nginx"); b.chat("search", 1, "py"); b.chat("workspace-db", .5, "pg"); b.chat("doc-cache", .4, "redis"); b.chat("webhook-sender", .6, ["I delivered hook={hex6} 200", "W hook={hex6} 410, disabled"]); b.chat("billing-ui", .4, "node")
b.log(62.6, "authz", "I policy bundle 312 activated (rules 118, tenants 904)"); b.log(63.4, "workspace-api", "I booted build 24.36.1")
G = b.change(62.9, "deploy", "workspace-api", "workspace-api 24.36.1: one cache helper for all document lists", diff=D("workspace-api/src/cache/documents.ts", """
-export const docKey = (ctx: RequestContext, view: string) =>
-  `doc:${ctx.tenant.slug}:${view}`;
+export const docKey = (view: string, ...parts: string[]) => ["doc", view, ...parts].join(":");
 
-export async function cached<T>(ctx: RequestContext, view: string, load: () => Promise<T>): Promise<T> {
-  return remember(docKey(ctx, view), 1800, load);
+export async function cached<T>(view: string, load: () => Promise<T>): Promise<T> {
+  return remember(docKey(view), 1800, load);
 }""", 12) + D("workspace-api/src/routes/home.ts", """
 router.get("/w/home", async (ctx) => {
-  ctx.body = await cached(ctx, "home", () => loadHome(ctx));
+  ctx.body = await cached("home", () => loadHome(ctx));
 });""", 25))
d1 = b.change(62.4, "config", "authz", "authz policy bundle 312: read-only auditors may list documents", diff=D("policies/documents.rego", """
 allow {
   input.action == "read"
-  input.role == "member"
+  input.role == {"member", "auditor"}[_]
   input.resource.tenant == input.subject.tenant
 }""", 40))
d2 = b.change(58, "deploy", "search", "search 11.2.0: pass subject tenant explicitly", diff=D("search/app/authz.py", """
-    allowed = authz.filter(subject=ctx.user, resources=hits)
+    allowed = authz.filter(subject=ctx.user, tenant=ctx.tenant, resources=hits)
     return [h for h in hits if h.id in allowed]""", 51))
b.bystanders([('avatars', 'go'), ('presence', 'node'), ('exports', 'batch'), ('trial-signup', 'rails')], 'otel', L, 'gateway')
b.bg(6, ["billing-ui", "webhook-sender", "gateway", "search-index"], avoid=[(60, 66)])
b.alert(T+5, "AuthzDenySpike", "critical", "authz denies 70x above baseline", "authz.decisions.deny > 500/min", service="authz"); b.alert(T+6, "Gateway4xx", "warning", "403 ratio 7%", "", service="gateway")
b.done("multi-tenant documents", "cache key lost the tenant", ["code"], ["workspace-api"], G, [d1, d2], T, "cache hit ratio jumps to 95% and keys lose the tenant at the workspace-api deploy; the policy still requires equal tenants and denies correctly.")
