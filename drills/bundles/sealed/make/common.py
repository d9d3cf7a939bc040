"""Small shared library: noisy series, log chatter, spans, changes, alerts, writing. Stdlib only."""
import random, json, csv, math, io, os, re, hashlib, zipfile, shutil, datetime as dt
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# ---------- shapes (m = minutes from window start) ----------
def env(m, m0, r, m1, r1):
    if m < m0: return 0.0
    w = 1.0 if r <= 0 else min(1.0, (m - m0 + 1e-9) / r)
    if m1 is not None and m >= m1: w *= max(0.0, 1 - (m - m1) / max(r1, 1e-9))
    return w
def mul(m0, f, r=1, m1=None, r1=2): return lambda v, m: v * (1 + (f - 1) * env(m, m0, r, m1, r1))
def add(m0, a, r=1, m1=None, r1=2): return lambda v, m: v + a * env(m, m0, r, m1, r1)
def to(m0, x, r=1, m1=None, r1=2):
    def f(v, m):
        w = env(m, m0, r, m1, r1); return v * (1 - w) + x * w
    return f
def grow(m0, per_min, m1=None): return lambda v, m: v + per_min * max(0, (min(m, m1) if m1 else m) - m0)
def saw(period, amp, phase=0): return lambda v, m: v + amp * (((m + phase) / period) % 1)
def every(period, f, width, phase=0): return lambda v, m: v * f if ((m - phase) % period) < width else v
def cap(hi): return lambda v, m: min(v, hi)
def wob(m0, f, period=3, m1=None): return lambda v, m: v * (1 + (f - 1) * abs(math.sin(m / period * math.pi))) if m >= m0 and (m1 is None or m < m1) else v

# ---------- diffs ----------
def D(path, body, line=20, ctx=""):
    body = body.strip("\n")
    L = body.split("\n")
    o = sum(1 for x in L if not x.startswith("+")); n = sum(1 for x in L if not x.startswith("-"))
    if o == 0: return f"diff --git a/{path} b/{path}\nnew file mode 100644\nindex 0000000..%07x\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{n} @@\n{body}\n" .replace("%07x", hashlib.sha1(body.encode()).hexdigest()[:7])
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -{line},{o} +{line},{n} @@{' ' + ctx if ctx else ''}\n{body}\n"

def expr_text(summary, L):
    who = L.get("service") or L.get("job") or "target"
    return f"{who}: {summary}. Runbook: wiki/oncall/{L['alertname']}"

class N:  # span node
    def __init__(s, comp, name, ms, kids=(), lat=(), err=None, prob=1.0, prop=0.9, par=False):
        s.comp, s.name, s.ms, s.kids, s.lat, s.err, s.prob, s.prop, s.par = comp, name, ms, kids, lat, err, prob, prop, par

AUTH = ["mkv", "t.lindqvist", "dana-p", "aoi", "jbr", "s.ferro", "okan", "lw", "priya-n", "hmoen", "c.adeyemi", "zk", "noor", "ilya.t", "gwen-r"]
CH = {
 "spring": ["I Completed 200 OK in {~40} ms", "I {GET|POST} /{v1|v2}/{accounts|orders|status|quotes}/{#1000-99999} 200 {~35}ms", "D HikariPool-1 - Pool stats (total={#18-20}, active={#2-9}, idle={#8-14}, waiting=0)", "I Scheduled task refreshReferenceData finished in {~200} ms", "W Resolved [org.springframework.web.HttpMediaTypeNotAcceptableException: No acceptable representation]", "I o.s.k.l.KafkaMessageListenerContainer: partitions assigned: [events-{#0-11}]"],
 "go": ["I request completed method={GET|POST} path=/{v1|api}/{items|sessions|quotes|lookup} status=200 dur={~18}ms", "I request completed method=GET path=/healthz status=200 dur=0.3ms", "D cache refresh done entries={#1200-9000} took={~60}ms", "W context canceled by client path=/v1/{items|lookup} dur={~900}ms", "I config poll: no change rev={#400-430}"],
 "rails": ["I Completed 200 OK in {~80}ms (Views: {~12}ms | ActiveRecord: {~20}ms | Allocations: {#4000-22000})", "I Started GET \"/{dashboard|records|search|settings}\" for {ip}", "I [ActiveJob] Performed {SyncJob|MailerJob|ReportJob} (Job ID: {uuid}) in {~300}ms", "W DEPRECATION WARNING: `to_s(:db)` is deprecated", "I Completed 304 Not Modified in {~9}ms"],
 "node": ["I {\"route\":\"/{api|v2}/{me|list|events}\",\"status\":200,\"ms\":{~25}}", "I GET /{me|inventory|events|shop} 200 {~22}ms", "W slow request 1{#100-900}ms GET /{inventory|events}", "D event loop lag {#1-9}ms heap {#120-240}MB", "I worker {#1-8} heartbeat ok"],
 "py": ["I \"{GET|POST} /{predict|score|jobs|items} HTTP/1.1\" 200 {~30}ms", "I processed batch size={#64-512} in {~400}ms", "D refreshed metadata cache ({#20-400} keys)", "W UserWarning: X has feature names, but estimator was fitted without feature names", "I worker pid={#20-90} idle {#1-20}s"],
 "pg": ["I checkpoint complete: wrote {#800-9000} buffers ({#1-9}.{#0-9}%); write={#20-260}.{#100-999} s", "I automatic vacuum of table \"app.public.{events|sessions|jobs}\": index scans: 1", "I connection authorized: user=app database=app SSL enabled", "D duration: {~4}.{#100-999} ms  execute <unnamed>: SELECT", "W could not receive data from client: Connection reset by peer"],
 "redis": ["I DB saved on disk", "I Background saving started by pid {#100-999}", "I {#10-90} changes in 300 seconds. Saving...", "D {#2000-9000} clients connected, {#100000-999999} bytes in use"],
 "kafka": ["I [GroupCoordinator {#1-3}]: Stabilized group {billing|etl|audit}-consumers generation {#40-99}", "I [Log partition=events-{#0-23}] Rolled new log segment at offset {#1000000-9999999}", "I [ReplicaFetcher replicaId={#1-3}] Truncating nothing", "W [NetworkClient clientId=admin-1] Connection to node {#1-3} disconnected"],
 "nginx": ["I {ip} - - \"{GET|POST} /{api|assets|static}/{#100-999} HTTP/2.0\" 200 {#300-90000} rt=0.{#100-400}", "I {ip} - - \"GET /{favicon.ico|robots.txt} HTTP/1.1\" 404 153 rt=0.001", "W {#1-9}#0: *{#1000-99999} an upstream response is buffered to a temporary file", "I {ip} - - \"GET /api/{list|me} HTTP/2.0\" 499 0 rt=1.{#100-900}"],
 "k8s": ["I Successfully assigned prod/{worker|api|batch}-{hex5} to node-{#1-9}", "I Container image already present on machine", "I Scaled up replica set {worker|batch}-{hex5} to {#2-6}", "W Readiness probe failed: Get \"/healthz\": context deadline exceeded", "I Created job cleanup-{#28000000-28999999}"],
 "batch": ["I task {extract|load|transform}_{daily|hourly}_{#1-30} state=success duration={#10-400}s", "I scheduler heartbeat dags={#40-44} running={#1-7}", "D poked sensor {orders|ledger|events}_ready -> true", "W task attempt 1 retried: temporary lock, attempt 2 ok"],
}
INNOCENT = [  # (kind, title, path, body)
 ("commit", "docs: runbook for {c} on-call", "docs/{c}/runbook.md", " ## Restart\n \n-Restart one pod at a time.\n+Restart one pod at a time and wait for readiness.\n+Check the dashboard \"{c} / overview\" before the next one.\n \n ## Escalation"),
 ("commit", "{c}: add unit tests for parser edge cases", "{c}/tests/test_parser_edges.py", "+import pytest\n+from {u}.parser import parse_line\n+\n+@pytest.mark.parametrize('raw', ['', ' ', '#c', 'a=', '=b'])\n+def test_rejects_empty_pairs(raw):\n+    assert parse_line(raw) is None"),
 ("deploy", "{c} {v}: structured logging fields", "{c}/internal/log/fields.go", " func With(ctx context.Context) *slog.Logger {\n-\treturn base\n+\treturn base.With(\n+\t\tslog.String(\"build\", buildinfo.Version),\n+\t\tslog.String(\"zone\", os.Getenv(\"ZONE\")),\n+\t)\n }"),
 ("commit", "dashboards: {c} latency heatmap", "grafana/{c}.json", "   \"panels\": [\n+    {\"type\": \"heatmap\", \"title\": \"latency\", \"gridPos\": {\"h\": 8, \"w\": 12, \"x\": 0, \"y\": 24}},\n     {\"type\": \"timeseries\", \"title\": \"rps\"}"),
 ("config", "{c}: raise alert 'for' from 2m to 3m", "alerts/{c}.yaml", "   - alert: HighLatency\n     expr: job:latency:p99 > 1\n-    for: 2m\n+    for: 3m\n     labels:\n       severity: warning"),
 ("deploy", "{c} {v}: translate validation messages", "{c}/src/i18n/de.json", "   \"errors.required\": \"Pflichtfeld\",\n-  \"errors.email\": \"Email falsch\",\n+  \"errors.email\": \"Bitte gültige E-Mail eingeben\",\n+  \"errors.iban\": \"IBAN prüfen\",\n   \"errors.date\": \"Datum\""),
 ("commit", "ci: cache module downloads for {c}", ".ci/{c}.yml", "   steps:\n     - checkout\n+    - restore_cache: { key: deps-{{ checksum \"lock\" }} }\n     - run: make test\n+    - save_cache: { key: deps-{{ checksum \"lock\" }}, paths: [.cache] }"),
 ("commit", "chore: codeowners for {c}", "CODEOWNERS", " *               @platform\n-/{c}/    @platform\n+/{c}/    @platform @{c}-team"),
 ("deploy", "{c} {v}", None, None), ("deploy", "release {c} {v} (weekly train)", None, None),
 ("config", "{c}: pod label cost-center", "helm/{c}/values.yaml", " podLabels:\n   team: {c}\n+  cost-center: \"4410\"\n \n resources:"),
 ("deploy", "{c} {v}: rename internal variable, remove dead code", "{c}/src/util.ts", "-export function legacyFormat(x: number) {\n-  return x.toFixed(2);\n-}\n-\n export function format(amount: number) {\n-  const t = fmt.format(amount);\n-  return t;\n+  return fmt.format(amount);\n }"),
 ("commit", "{c}: javadoc and package-info", "{c}/src/main/java/pkg/package-info.java", " /**\n- * TODO\n+ * Entry points of {c}. Everything below {@code internal} may change.\n  */"),
 ("config", "log retention for {c} 14d -> 30d", "terraform/logs/{c}.tf", " resource \"log_group\" \"{u}\" {\n   name              = \"/svc/{c}\"\n-  retention_in_days = 14\n+  retention_in_days = 30\n }"),
 ("flag", "{c}: enable new empty-state banner (internal users)", None, None),
 ("deploy", "{c} {v}: add build info endpoint", "{c}/app/controllers/build_controller.rb", "+class BuildController < ApplicationController\n+  skip_before_action :authenticate\n+\n+  def show\n+    render json: { sha: ENV['GIT_SHA'], built_at: ENV['BUILT_AT'] }\n+  end\n+end"),
 ("commit", "{c}: pin linter, fix warnings", "{c}/pyproject.toml", " [tool.lint]\n-select = [\"E\", \"F\"]\n+select = [\"E\", \"F\", \"I\"]\n line-length = 100"),
 ("config", "scrape interval of staging {c} 30s -> 60s", "prometheus/staging.yml", "   - job_name: staging-{c}\n-    scrape_interval: 30s\n+    scrape_interval: 60s"),
 ("deploy", "{c} {v}: health endpoint reports queue name", "{c}/health.go", " \tout := map[string]any{\n \t\t\"status\": \"ok\",\n+\t\t\"queue\":  cfg.Queue,\n \t}\n \t_ = json.NewEncoder(w).Encode(out)"),
 ("config", "{c}: priorityClass for staging only", "helm/{c}/values-staging.yaml", " replicas: 1\n+priorityClassName: low\n resources:\n   requests:\n     cpu: 50m"),
 ("commit", "{c}: load-test script for next quarter", "{c}/loadtest/k6.js", "+import http from 'k6/http';\n+export const options = { vus: 20, duration: '2m' };\n+export default function () {\n+  http.get(`${__ENV.BASE}/healthz`);\n+}"),
 ("deploy", "{c} {v}: metric help texts", "{c}/metrics.py", " REQUESTS = Counter(\n     \"requests_total\",\n-    \"requests\",\n+    \"Requests handled, by route and status class\",\n     [\"route\", \"status\"],\n )"),
 ("config", "terraform: owner tags for {c}", "terraform/{c}/main.tf", "   tags = {\n     service = \"{c}\"\n+    owner   = \"{u}-team\"\n+    tier    = \"2\"\n   }"),
 ("commit", "{c}: archive old migrations folder", "{c}/db/archive/README.md", "+Migrations before 2022 were squashed into 000_baseline.sql.\n+Nothing in this folder is executed."),
 ("deploy", "{c} {v}: accept lower-case currency codes in admin form", "{c}/admin/forms.rb", "   def currency=(value)\n-    super(value)\n+    super(value.to_s.strip.upcase)\n   end"),
 ("commit", "{c}: example in openapi file", "{c}/openapi.yaml", "       responses:\n         '200':\n           description: ok\n+          content:\n+            application/json:\n+              example: { id: 17, state: open }"),
 ("config", "nginx: add security header on status page of {c}", "nginx/sites/status-{c}.conf", " location /status {\n   root /srv/status;\n+  add_header X-Content-Type-Options nosniff;\n }"),
 ("deploy", "{c} {v}: patch release of test helpers", "{c}/build.gradle.kts", " dependencies {\n-    testImplementation(\"org.assertj:assertj-core:3.24.2\")\n+    testImplementation(\"org.assertj:assertj-core:3.25.3\")\n }"),
 ("commit", "{c}: comment why the lock is not needed here", "{c}/src/store.rs", " impl Store {\n+    // Single writer: the actor owns this map, readers get a snapshot.\n     pub fn insert(&mut self, k: Key, v: Value) {\n         self.map.insert(k, v);\n     }"),
 ("flag", "{c}: debug toolbar for employees 50% -> 100%", "flags/{u}_debug_toolbar.json", " {\n   \"key\": \"{u}_debug_toolbar\",\n   \"segment\": \"employees\",\n-  \"percent\": 50\n+  \"percent\": 100\n }"),
]

def _big(R, c, u):
    """larger everyday diffs (30-60 lines)"""
    w = lambda *a: R.choice(a)
    k = R.randrange(8)
    if k == 0:
        keys = R.sample(["save", "cancel", "search", "filter", "next", "previous", "confirm", "delete", "retry", "settings", "profile", "logout", "help", "contact", "terms", "privacy", "export", "import", "upload", "download", "today", "yesterday", "week", "month"], 20)
        return "deploy", f"{c}: spanish and italian texts", D(f"{c}/src/i18n/es.json", "{\n" + "\n".join(f'+  "common.{x}": "{x.title()}",' for x in keys) + '\n   "common.ok": "OK"\n }', 1).replace("\n{\n", "\n {\n") + D(f"{c}/src/i18n/it.json", " {\n" + "\n".join(f'+  "common.{x}": "{x.title()}",' for x in keys[:12]) + '\n   "common.ok": "OK"\n }', 1)
    if k == 1:
        rows = "\n".join(f'+\t\t{{"{w("empty","short","long","unicode","negative","zero")} {n}", "{w("a","b","x-1","0","-5")}", {n}, {w("nil","ErrFormat","ErrRange")}}},' for n in range(R.randint(18, 30)))
        return "commit", f"{c}: table tests for the id parser", D(f"{c}/internal/ids/parse_test.go", '+package ids\n+\n+import (\n+\t"errors"\n+\t"testing"\n+)\n+\n+func TestParse(t *testing.T) {\n+\tcases := []struct {\n+\t\tname, in string\n+\t\twant     int\n+\t\terr      error\n+\t}{\n' + rows + '\n+\t}\n+\tfor _, c := range cases {\n+\t\tgot, err := Parse(c.in)\n+\t\tif !errors.Is(err, c.err) || got != c.want {\n+\t\t\tt.Errorf("%s: got %d, %v", c.name, got, err)\n+\t\t}\n+\t}\n+}')
    if k == 2:
        return "deploy", f"{c}: split the request handler into functions", D(f"{c}/src/handler.ts", " export async function handle(req: Request, res: Response) {\n-  const started = Date.now();\n-  const user = req.session?.user;\n-  if (!user) {\n-    res.status(401).json({ error: \"login\" });\n-    return;\n-  }\n-  const page = Math.max(1, Number(req.query.page ?? 1));\n-  const size = Math.min(100, Number(req.query.size ?? 20));\n-  const rows = await repo.list(user.id, { page, size });\n-  res.json({ rows, page, size });\n-  metrics.timing(\"list\", Date.now() - started);\n+  await timed(\"list\", async () => {\n+    const user = requireUser(req, res);\n+    if (!user) return;\n+    const { page, size } = paging(req.query);\n+    const rows = await repo.list(user.id, { page, size });\n+    res.json({ rows, page, size });\n+  });\n }\n+\n+function requireUser(req: Request, res: Response) {\n+  const user = req.session?.user;\n+  if (!user) res.status(401).json({ error: \"login\" });\n+  return user;\n+}\n+\n+function paging(q: Query) {\n+  const page = Math.max(1, Number(q.page ?? 1));\n+  const size = Math.min(100, Number(q.size ?? 20));\n+  return { page, size };\n+}\n+\n+async function timed(name: string, fn: () => Promise<void>) {\n+  const started = Date.now();\n+  await fn();\n+  metrics.timing(name, Date.now() - started);\n+}", 11)
    if k == 3:
        dev = R.sample(["prettier", "eslint", "typescript", "vitest", "tsx", "husky", "lint-staged", "c8", "nock", "supertest", "sinon", "rimraf"], 9)
        return "commit", f"{c}: update dev dependencies", D(f"{c}/package.json", '   "devDependencies": {\n' + "\n".join(f'-    "{d}": "^{n+1}.{n}.0",' for n, d in enumerate(dev)) + "\n" + "\n".join(f'+    "{d}": "^{n+1}.{n+3}.1",' for n, d in enumerate(dev)) + '\n     "@types/node": "^18.19.0"\n   },', 41)
    if k == 4:
        p = ["rps", "errors", "latency p95", "latency p50", "cpu", "memory", "restarts"]
        return "config", f"dashboards as code: {c}", D(f"terraform/dashboards/{u}.tf", f'+resource "dashboard" "{u}" {{\n+  title = "{c} / overview"\n+  tags  = ["{c}", "generated"]\n' + "\n".join(f'+  panel {{\n+    title = "{x}"\n+    width = 8\n+    row   = {n // 3}\n+  }}' for n, x in enumerate(p)) + "\n+}")
    if k == 5:
        return "deploy", f"{c}: CSV export for support staff", D(f"{c}/app/services/support_export.rb", "+require \"csv\"\n+\n+# Used by the support console only, one customer at a time.\n+class SupportExport\n+  HEADERS = %w[id created_at state channel note].freeze\n+\n+  def initialize(customer)\n+    @customer = customer\n+  end\n+\n+  def to_csv\n+    CSV.generate(headers: HEADERS, write_headers: true) do |csv|\n+      rows.each { |r| csv << HEADERS.map { |h| r.public_send(h) } }\n+    end\n+  end\n+\n+  private\n+\n+  def rows\n+    @customer.tickets.order(:id).limit(500)\n+  end\n+end") + D(f"{c}/config/routes.rb", "   namespace :support do\n     resources :customers, only: %i[index show]\n+    get \"customers/:id/export\", to: \"exports#show\"\n   end", 30)
    if k == 6:
        return "deploy", f"{c}: typed settings", D(f"{c}/settings.py", "-import os\n-\n-DEBUG = os.environ.get(\"DEBUG\") == \"1\"\n-BIND = os.environ.get(\"BIND\", \"0.0.0.0:8080\")\n-WORKERS = int(os.environ.get(\"WORKERS\", \"8\"))\n-TIMEOUT = float(os.environ.get(\"TIMEOUT\", \"2.5\"))\n-POOL = int(os.environ.get(\"POOL\", \"20\"))\n-LOG_LEVEL = os.environ.get(\"LOG_LEVEL\", \"info\")\n+from dataclasses import dataclass, field\n+from os import environ as env\n+\n+\n+@dataclass(frozen=True)\n+class Settings:\n+    debug: bool = field(default_factory=lambda: env.get(\"DEBUG\") == \"1\")\n+    bind: str = field(default_factory=lambda: env.get(\"BIND\", \"0.0.0.0:8080\"))\n+    workers: int = field(default_factory=lambda: int(env.get(\"WORKERS\", \"8\")))\n+    timeout: float = field(default_factory=lambda: float(env.get(\"TIMEOUT\", \"2.5\")))\n+    pool: int = field(default_factory=lambda: int(env.get(\"POOL\", \"20\")))\n+    log_level: str = field(default_factory=lambda: env.get(\"LOG_LEVEL\", \"info\"))\n+\n+\n+settings = Settings()", 1)
    return "deploy", f"{c}: records instead of hand-written value classes", D(f"{c}/src/main/java/pkg/{u.title().replace('_', '')}Page.java", "-public final class Page {\n-    private final int number;\n-    private final int size;\n-    private final long total;\n-\n-    public Page(int number, int size, long total) {\n-        this.number = number;\n-        this.size = size;\n-        this.total = total;\n-    }\n-\n-    public int getNumber() { return number; }\n-    public int getSize() { return size; }\n-    public long getTotal() { return total; }\n-\n-    public boolean hasNext() {\n-        return (long) (number + 1) * size < total;\n-    }\n-}\n+public record Page(int number, int size, long total) {\n+    public boolean hasNext() {\n+        return (long) (number + 1) * size < total;\n+    }\n+}", 9)

INFRA = re.compile(r"-db$|pg$|kafka|redis|mongo|lake$|-index$|nginx|edge$|queue|^fx$|object-store|warehouse$|^lb$|node-|cache$|bucket|pgbouncer|registry|fleet|warehouse|-store$|-hub$|-bus$")
LANG = {"go": "go", "rb": "ruby", "ts": "js", "tsx": "js", "js": "js", "json": "js", "py": "py", "toml": "py", "java": "jvm", "kt": "jvm", "kts": "jvm", "rs": "rust"}
def lang_of(path):
    if not path or "CODEOWNERS" in path or path.startswith(("grafana", "flags", "registry")): return None
    return LANG.get(path.rsplit(".", 1)[-1])

class B:
    def __init__(s, name, seed, start, minutes, step=60, tz="Z", ids="c-{n}", logms=True, order="time", status=("ok", "error")):
        s.name, s.R, s.minutes, s.step, s.tz, s.ids, s.logms, s.order, s.status = name, random.Random(seed), minutes, step, tz, ids, logms, order, status
        s.t0 = dt.datetime.fromisoformat(start).replace(tzinfo=dt.timezone.utc)
        s.series, s.logs, s.spans, s.chg, s.alerts, s.edges, s.extra = [], [], [], [], [], [], set()
        s.n = s.R.randint(200, 4000); s.drop = 0.002; s.chat_scale = 1.0; s.gap_p = .05; s.lang = {}; s.blip_p = .04
        w, x = [], 0
        for _ in range(minutes + 2):
            x = .9 * x + .44 * s.R.gauss(0, 1); w.append(x)
        s.wander = w
    # --- time
    def at(s, m, ms=False):
        t = s.t0 + dt.timedelta(minutes=m)
        if s.tz not in ("Z", "+00:00"):
            h = int(s.tz[:3]); t = t.astimezone(dt.timezone(dt.timedelta(hours=h)))
        return t.strftime("%Y-%m-%dT%H:%M:%S") + (".%03d" % (t.microsecond // 1000) if ms else "") + s.tz
    def load(s, amp=.25, peak=14, wander=.03):
        h0 = s.t0.hour + s.t0.minute / 60
        def f(m):
            i = min(int(max(m, 0)), s.minutes)
            return (1 + amp * math.cos(2 * math.pi * (h0 + m / 60 - peak) / 24)) * (1 + wander * s.wander[i])
        return f
    def pois(s, lam):
        if lam <= 0: return 0
        if lam > 40: return max(0, int(round(s.R.gauss(lam, math.sqrt(lam)))))
        L, k, p = math.exp(-lam), 0, 1.0
        while True:
            p *= s.R.random()
            if p < L: return k
            k += 1
    # --- metrics
    def s(s, comp, metric, base, noise=.05, load=None, fx=(), kind="g", rho=.5, lo=0, hi=None, gaps=(), reset=(), step=None, t0=None, t1=None):
        st = step or s.step; x = 0; cum = s.R.randint(20000, 900000); out = []; left = sorted(reset)
        if not gaps and s.R.random() < s.gap_p:
            g = s.R.uniform(0, s.minutes - 8); gaps = [(g, g + s.R.uniform(2, 7))]
        blip = None
        if kind == "g" and noise >= .03 and s.R.random() < s.blip_p:
            bm = s.R.uniform(0, s.minutes); blip = (bm, bm + st / 60 * s.R.choice([1, 2]), s.R.uniform(1.3, 1.9))
        for i in range(int(s.minutes * 60 / st) + 1):
            m = i * st / 60
            x = rho * x + math.sqrt(1 - rho * rho) * s.R.gauss(0, 1)
            v = base * (load(m) if load else 1)
            for f in fx: v = f(v, m)
            if blip and blip[0] <= m < blip[1]: v *= blip[2]
            if kind == "r":
                while left and m >= left[0]: cum = 0; left.pop(0)
                cum += s.pois(v * (1 + noise * x) * st); y = cum
            elif kind == "p": y = s.pois(v * (1 + noise * x))
            elif kind == "k": y = int(round(v))
            else:
                y = v * (1 + noise * x)
                if lo is not None: y = max(lo, y)
                if hi is not None: y = min(hi, y)
                if kind == "i": y = int(round(y))
            if (t0 is not None and m < t0) or (t1 is not None and m > t1): continue
            if any(a <= m < b for a, b in gaps) or s.R.random() < s.drop: continue
            if not isinstance(y, int):
                y = float("%.3g" % y) if abs(y) < 1000 else int(float("%.4g" % y))
            out.append((i * st, y))
        s.series.append((comp, metric, out))
    def svc(s, comp, style, rps, ms, err=.001, cpu=None, mem=None, load=None, lat=(), errs=(), cpux=(), memx=(), rpsx=(), rt=None, pods=3, podx=(), reset=(), gaps=(), p50x=None):
        cpu = cpu or s.R.randint(14, 52); mem = mem or s.R.choice([180, 260, 340, 420, 610, 760, 980, 1450])
        def efx(v, m):
            r = err
            for f in errs: r = f(r, m)
            return v * max(0, min(r, 1))
        k = dict(load=load, gaps=gaps)
        cx = list(cpux); p50x = lat if p50x is None else p50x; c = comp.replace("-", "_")
        cl = (lambda m: .5 + .5 * load(m)) if load else None
        rx = list(rpsx); ex = rx + [efx]
        if style == "prom":
            s.s(comp, "http_requests_total", rps, .04, kind="r", fx=rx, reset=reset, **k)
            s.s(comp, "http_request_errors_total", rps, .04, kind="r", fx=ex, reset=reset, **k)
            s.s(comp, "http_request_duration_seconds_p99", ms * 2.2 / 1000, .12, fx=lat, gaps=gaps)
            s.s(comp, "http_request_duration_seconds_p50", ms * .5 / 1000, .05, fx=p50x, gaps=gaps)
            s.s(comp, "container_cpu_usage_cores", cpu / 25, .06, load=cl, fx=cx, gaps=gaps)
            s.s(comp, "container_memory_working_set_bytes", mem * 1e6, .01, fx=[lambda v, m, f=f: f(v / 1e6, m) * 1e6 for f in memx], rho=.9, gaps=gaps)
            s.s(comp, "up", 1, 0, kind="k", gaps=gaps)
        elif style == "statsd":
            s.s(comp, f"{c}.requests.count", rps * s.step, .04, kind="p", fx=rx, **k)
            s.s(comp, f"{c}.errors.count", rps * s.step, .04, kind="p", fx=ex, **k)
            s.s(comp, f"{c}.latency.p95", ms, .1, fx=lat, gaps=gaps)
            s.s(comp, f"{c}.latency.mean", ms * .45, .05, fx=p50x, gaps=gaps)
            s.s(comp, f"{c}.cpu.pct", cpu, .06, load=cl, fx=cx, hi=100, gaps=gaps)
            s.s(comp, f"{c}.mem.rss_mb", mem, .01, fx=memx, rho=.9, kind="i", gaps=gaps)
        elif style == "cw":
            s.s(comp, "RequestCount", rps * s.step, .04, kind="p", fx=rx, **k)
            s.s(comp, "HTTPCode_Target_5XX_Count", rps * s.step, .04, kind="p", fx=ex, **k)
            s.s(comp, "TargetResponseTime", ms / 1000, .1, fx=lat, gaps=gaps)
            s.s(comp, "CPUUtilization", cpu, .06, load=cl, fx=cx, hi=100, gaps=gaps)
            s.s(comp, "MemoryUtilization", mem / 20, .01, fx=[lambda v, m, f=f: f(v * 20, m) / 20 for f in memx], hi=100, rho=.9, gaps=gaps)
            s.s(comp, "HealthyHostCount", pods, 0, kind="k", fx=podx, gaps=gaps)
        else:  # otel
            s.s(comp, "http.server.request.count", rps * s.step, .04, kind="p", fx=rx, **k)
            s.s(comp, "http.server.error.ratio", 1, .25, fx=[efx], gaps=gaps)
            s.s(comp, "http.server.duration.p95_ms", ms, .1, fx=lat, gaps=gaps)
            s.s(comp, "process.cpu.utilization", cpu / 100, .06, load=cl, fx=[lambda v, m, f=f: f(v * 100, m) / 100 for f in cx], hi=1, gaps=gaps)
            s.s(comp, "process.memory.usage", mem * 1e6, .01, fx=[lambda v, m, f=f: f(v / 1e6, m) * 1e6 for f in memx], rho=.9, gaps=gaps)
        if rt == "jvm":
            s.s(comp, "jvm_memory_used_bytes{area=heap}", mem * 6e5, .05, fx=[saw(9, mem * 3e5, s.R.random() * 9)], gaps=gaps)
            s.s(comp, "jvm_gc_pause_seconds_max", .03, .4, fx=[every(s.R.randint(25, 60), 4, 1, s.R.randint(0, 20))], gaps=gaps)
        if rt == "go": s.s(comp, "go_goroutines", 180, .06, load=load, kind="i", gaps=gaps)
        if rt == "node": s.s(comp, "nodejs_eventloop_lag_ms", 4, .3, gaps=gaps)
        if rt == "ruby": s.s(comp, "puma.backlog", .3, .5, kind="p", gaps=gaps)
    def pg(s, comp, conn=60, maxc=200, cpu=30, qps=900, load=None, cpux=(), connx=(), qpsx=(), latx=(), lockx=(), diskx=(), style="pg"):
        q = dict(pg=["pg_stat_activity_count", "pg_settings_max_connections", "node_cpu_busy_pct", "pg_stat_database_xact_commit", "pg_query_mean_time_ms", "pg_locks_waiting", "node_filesystem_avail_pct", "pg_replication_lag_seconds"],
                 cw=["DatabaseConnections", "MaxConnections", "CPUUtilization", "CommitThroughput", "CommitLatency", "LockWaits", "FreeStoragePct", "ReplicaLag"])[style]
        s.s(comp, q[0], conn, .05, load=load, fx=connx, kind="i", hi=maxc); s.s(comp, q[1], maxc, 0, kind="k")
        s.s(comp, q[2], cpu, .08, load=load, fx=cpux, hi=99.4); s.s(comp, q[3], qps, .05, load=load, fx=qpsx)
        s.s(comp, q[4], 2.4, .12, fx=latx); s.s(comp, q[5], .4, .3, kind="p", fx=lockx)
        s.s(comp, q[6], 61, .0, fx=list(diskx) or [grow(0, -.004)]); s.s(comp, q[7], .12, .4)
    def bystanders(s, names, style, load, hub):
        """innocent neighbours: (name, stack) with their own small events"""
        for nm, stack in names:
            k = s.R.random(); m = s.R.uniform(10, s.minutes * .8)
            s.svc(nm, style, s.R.choice([2, 7, 19, 45, 80]), s.R.choice([14, 35, 90, 240, 600]), s.R.choice([0, .0005, .002]), load=load,
                  cpux=[mul(m, 2.1, 2, m + 9)] if k < .35 else [], reset=[m] if .35 <= k < .6 else (), gaps=[(m, m + 4)] if k > .85 else ())
            s.chat(nm, s.R.uniform(.2, .7), stack); s.edges.append([hub, nm])
    # --- logs
    def fill(s, t):
        R = s.R
        def sub(mo):
            k = mo.group(1)
            if k[0] == "#":
                a, b = k[1:].split("-"); return str(R.randint(int(a), int(b)))
            if k[0] == "~": return str(max(1, int(float(k[1:]) * math.exp(R.gauss(0, .5)))))
            if k == "ip": return "10.%d.%d.%d" % (R.randint(0, 63), R.randint(0, 255), R.randint(1, 254))
            if k == "uuid":
                h = "%032x" % R.getrandbits(128); return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
            if k.startswith("hex"): return "%0*x" % (int(k[3:]), R.getrandbits(4 * int(k[3:])))
            if "|" in k: return R.choice(k.split("|"))
            return mo.group(0)
        for _ in range(3):
            t = re.sub(r"\{(#\d+-\d+|~[\d.]+|ip|uuid|hex\d+|[^{}\"\n:]*\|[^{}\"\n]*)\}", sub, t)
        return t
    LV = dict(I="INFO", W="WARN", E="ERROR", D="DEBUG", F="FATAL")
    def log(s, m, comp, line, **at):
        lv, msg = s.LV[line[0]], s.fill(line[2:])
        a = {}
        for k, v in at.items():
            if isinstance(v, str):
                v = s.fill(v)
                if re.fullmatch(r"-?\d{1,12}(\.\d+)?", v): v = float(v) if "." in v else int(v)
            a[k] = v
        s.logs.append((m, dict(component=comp, level=lv, message=msg, **a)))
    def chat(s, comp, per_min, lines, t0=0, t1=None, fx=(), pods=0, w=None, **at):
        if isinstance(lines, str): lines = CH[lines]
        t1 = s.minutes if t1 is None else t1
        pod = ["%s-%s-%s" % (comp, "%09x" % s.R.getrandbits(36), "".join(s.R.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5))) for _ in range(pods)]
        m = t0
        ww = w or [1 if l[0] in "WEF" else 6 for l in lines]
        while m < t1:
            r = per_min
            for f in fx: r = f(r, m)
            n = s.pois(r * min(1, t1 - m))
            for _ in range(n):
                if s.chat_scale < 1 and s.R.random() > s.chat_scale: continue
                a = dict(at)
                if pod: a["pod"] = s.R.choice(pod)
                s.log(m + s.R.random() * min(1, t1 - m), comp, s.R.choices(lines, ww)[0], **a)
            m += 1
    # --- spans
    def traces(s, n, root, t0=0, t1=None, bias=None):
        t1 = s.minutes if t1 is None else t1
        for _ in range(n):
            m = t0 + (t1 - t0) * s.R.random(); tid = "%032x" % s.R.getrandbits(128)
            out = []
            def go(nd, m, parent):
                sid = "%016x" % s.R.getrandbits(64)
                own = nd.ms * math.exp(s.R.gauss(0, .3)); 
                for f in nd.lat: own = f(own, m)
                p = nd.err(m) if nd.err else .001
                bad = s.R.random() < p; cur = m + own * .4 / 60000; tot = 0; row = {}
                out.append(row)
                for kd in nd.kids:
                    if s.R.random() > kd.prob or (bad and s.R.random() < .3): continue
                    d, e = go(kd, cur, sid)
                    if e and s.R.random() < nd.prop: bad = True
                    if nd.par: tot = max(tot, d)
                    else: tot += d; cur += d / 60000
                row.update(trace_id=tid, span_id=sid, parent_id=parent, component=nd.comp, name=nd.name, start=s.at(m, True), duration_ms=round(own + tot, 1), status=s.status[1] if bad else s.status[0], _m=m)
                return own + tot, bad
            go(root, m, None)
            s.spans += out
    # --- changes, alerts, topology
    def change(s, m, kind, comp, title, files=None, diff=None, author=None, commit=True, id=None):
        s.n += s.R.randint(1, 9)
        for p in re.findall(r"^\+\+\+ b/(.*)$", diff or "", re.M):
            if lang_of(p): s.lang.setdefault(comp, lang_of(p))
        sha = "%040x" % s.R.getrandbits(160)
        cid = id or s.ids.format(n=s.n, h=sha[:7], h8="%08x" % s.R.getrandbits(32))
        if files is None: files = re.findall(r"^\+\+\+ b/(.*)$", diff or "", re.M)
        if diff: diff = re.sub(r"^(diff --git .*\n)(?=--- a)", lambda mo: mo.group(1) + "index %07x..%07x 100644\n" % (s.R.getrandbits(28), s.R.getrandbits(28)), diff, flags=re.M)
        s.chg.append((m, dict(id=cid, kind=kind, timestamp=s.at(m), component=comp, author=author or s.R.choice(AUTH), title=title, files=files, diff=diff, commit=sha if commit and kind in ("commit", "deploy", "config") else None)))
        return cid
    def pick(s, comps, kind, lang):
        ok = [c for c in comps if (kind == "config" and not lang) or not INFRA.search(c)] or [c for c in {x for e in s.edges for x in e} | set(comps) if not INFRA.search(c)] or comps
        ok = sorted(ok); fit = [c for c in ok if not lang or s.lang.get(c, lang) == lang]
        return s.R.choice(fit or ok)
    def bg(s, n, comps, t0=None, t1=None, avoid=()):
        """n innocent everyday changes"""
        s.bgc = comps; pool = s.R.sample(INNOCENT, min(n, len(INNOCENT))); ids = []
        lo, hi = (-90 if t0 is None else t0), (s.minutes * .9 if t1 is None else t1)
        for kind, title, path, body in pool:
            c = s.pick(comps, kind, lang_of(path)); u = c.replace("-", "_"); v = "%d.%d.%d" % (s.R.randint(1, 6), s.R.randint(0, 40), s.R.randint(0, 9))
            sub = lambda t: t.replace("{c}", c).replace("{u}", u).replace("{v}", v)
            while True:
                m = s.R.uniform(lo, hi)
                if not any(a <= m <= b for a, b in avoid): break
            ids.append(s.change(round(m, 2), kind, c, sub(title), diff=D(sub(path), sub(body), s.R.randint(3, 140)) if path else None, files=None if path else []))
        return ids
    def alert(s, m, name, sev, summary, desc, ends=None, expr="up == 0", **labels):
        L = dict(alertname=name, severity=sev, **labels)
        fp = hashlib.sha1(json.dumps(L, sort_keys=True).encode()).hexdigest()[:16]
        s.alerts.append((m, dict(status="resolved" if ends else "firing", labels=L, annotations=dict(summary=summary, description=desc or expr_text(summary, L)), startsAt=s.at(m), endsAt=s.at(ends) if ends else "0001-01-01T00:00:00Z", generatorURL="http://prometheus.example.internal:9090/graph?g0.expr=" + expr.replace(" ", "+"), fingerprint=fp)))
    def topo(s, text):
        for part in text.split(";"):
            a, bs = part.split(">"); s.edges += [[a.strip(), x.strip()] for x in bs.split(",")]
    # --- write
    def done(s, target, family, cause, component, change, decoys, onset, why, healthy=False, no=(), opened=None, alt=None):
        for q in range(2):
            if s.R.random() < (.85 if q == 0 else .4):
                o = onset if onset is not None else s.alerts[0][0]
                st = s.R.getstate(); kind, title, diff = _big(s.R, 'x', 'x'); lg = lang_of(re.search(r'^\+\+\+ b/(.*)$', diff, re.M)[1])
                c = s.pick(s.bgc, kind, lg); st2 = s.R.getstate(); s.R.setstate(st); kind, title, diff = _big(s.R, c, c.replace('-', '_')); s.R.setstate(st2); m = round(s.R.uniform(max(-60, o - 45), o - .7), 2)
                if any(x[1]["title"] == title for x in s.chg): continue
                i = s.change(m, kind, c, title, diff=diff)
                if o - m < 15 and kind != "commit": decoys = decoys + [i]
        d = os.path.join(ROOT, "bundles", s.name); shutil.rmtree(d, ignore_errors=True); os.makedirs(d)
        s.alerts.sort(key=lambda a: a[0]); F = {}
        crit = [m for m, a in s.alerts if a['labels']['severity'] == 'critical'] or [m for m, a in s.alerts]
        op = opened if opened is not None else min(crit) + s.R.uniform(.5, 3)
        F["incident.json"] = json.dumps(dict(id=s.R.choice(["INC-%d", "inc%d", "PD-%d", "IR%d"]) % s.R.randint(1000, 99999), target=target, opened_at=s.at(op), alerts=[a for _, a in s.alerts], window=dict(start=s.at(0), end=s.at(s.minutes))), indent=1, ensure_ascii=False)
        if "metrics" not in no:
            o = io.StringIO(); w = csv.writer(o, lineterminator="\n"); w.writerow(["timestamp", "component", "metric", "value"])
            rows = [(t, i, c, mt, v) for i, (c, mt, out) in enumerate(s.series) for t, v in out]
            if s.order == "time": rows.sort(key=lambda r: (r[0], r[1]))
            for t, i, c, mt, v in rows: w.writerow([s.at(t / 60), c, mt, v])
            F["metrics.csv"] = o.getvalue()
        if "logs" not in no:
            s.logs = [l for l in s.logs if 0 <= l[0] <= s.minutes]; s.logs.sort(key=lambda l: l[0])
            F["logs.ndjson"] = "".join(json.dumps(dict(timestamp=s.at(m, s.logms), **r), ensure_ascii=False) + "\n" for m, r in s.logs)
        if s.spans:
            s.spans.sort(key=lambda r: r["_m"])
            F["spans.ndjson"] = "".join(json.dumps({k: v for k, v in r.items() if k != "_m"}) + "\n" for r in s.spans)
        s.chg.sort(key=lambda c: c[0])
        F["changes.ndjson"] = "".join(json.dumps(c, ensure_ascii=False) + "\n" for _, c in s.chg)
        if "topology" not in no: F["topology.json"] = json.dumps(dict(edges=s.edges))
        for k, v in F.items(): open(os.path.join(d, k), "w", encoding="utf-8").write(v)
        zp = d + ".zip"
        with zipfile.ZipFile(zp, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
            for k in sorted(F):
                zi = zipfile.ZipInfo(k, (2025, 1, 1, 0, 0, 0)); zi.compress_type = zipfile.ZIP_DEFLATED; zi.external_attr = 0o644 << 16; z.writestr(zi, F[k])
        ep = os.path.join(ROOT, "expected.json"); E = json.load(open(ep)) if os.path.exists(ep) else {}
        E[s.name] = dict(family=family, cause=cause, component=component, change=change, decoys=decoys, onset=s.at(onset) if onset is not None else None, healthy=healthy, why=why)
        if alt is not None: E[s.name]["onset_also"] = s.at(alt)
        json.dump(dict(sorted(E.items())), open(ep, "w"), indent=1, ensure_ascii=False)
        ids = [c["id"] for _, c in s.chg]
        comps = {c for c, _, _ in s.series} | {r["component"] for _, r in s.logs} | {r["component"] for r in s.spans} if s.series or s.logs else set()
        warn = []
        if len(set(ids)) != len(ids): warn.append("dup ids")
        if change and change not in ids: warn.append("change?")
        if any(x not in ids for x in decoys): warn.append("decoy?")
        if not 4 <= len(comps) <= 15: warn.append("comps %d" % len(comps))
        if "metrics" not in no and not 15 <= len(s.series) <= 120: warn.append("series")
        if "logs" not in no and not 200 <= len(s.logs) <= 3000: warn.append("logs")
        if not 3 <= len(ids) <= 20: warn.append("changes %d" % len(ids))
        if len(s.chg) < 3: warn.append("few")
        ec = {x for e in s.edges for x in e}; gl = len([1 for c in s.chg])
        if "topology" not in no and not comps <= ec: warn.append("not in topology: %s" % sorted(comps - ec))
        print(f"{s.name:34s} {os.path.getsize(zp)//1024:4d}KB comps={len(comps)} series={len(s.series)} logs={len(s.logs)} spans={len(s.spans)} changes={len(ids)} {'; '.join(warn)}")
