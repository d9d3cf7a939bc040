"""Small library for the generators: time axis, series, log chatter, spans, changes, writing and zipping."""
import csv, hashlib, io, json, os, random, re, zipfile
from datetime import datetime, timedelta, timezone
import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def diff(path, hunk):
    """a unified diff of one file; the counts of the hunk heads are put right"""
    lines, out, i = hunk.strip("\n").split("\n"), [], 0
    while i < len(lines):
        mo = re.match(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)", lines[i])
        j = i + 1
        while j < len(lines) and not lines[j].startswith("@@ "): j += 1
        body = lines[i + 1:j]
        o = sum(not l.startswith("+") for l in body); n = sum(not l.startswith("-") for l in body)
        out.append(f"@@ -{mo[1] if o else 0},{o} +{mo[2]},{n} @@{mo[3]}"); out += body; i = j
    old = "/dev/null" if out and out[0].startswith("@@ -0,0") else "a/" + path
    return f"diff --git a/{path} b/{path}\n--- {old}\n+++ b/{path}\n" + "\n".join(out) + "\n"


CHAT = {
 "nginx": [("INFO", '{ip} "GET /v1/{word}/{id} HTTP/1.1" 200 {kb} rt={sec}'), ("INFO", '{ip} "POST /v1/{word} HTTP/1.1" 201 {n} rt={sec}'),
           ("INFO", '{ip} "GET /healthz HTTP/1.1" 200 2 rt=0.001'), ("WARN", "upstream response is buffered to a temporary file while reading upstream, client: {ip}")],
 "spring": [("INFO", "Completed {word} request id={uuid} in {ms} ms"), ("INFO", "Started handling message offset={id} partition={d}"), ("DEBUG", "Cache hit ratio {pct}% for region {word}"),
            ("INFO", "Refreshed {n} {word} entries"), ("WARN", "Request {uuid} took {ms} ms, soft limit 400 ms"), ("INFO", "GC pause (G1 Evacuation) {d}ms")],
 "django": [("INFO", '"GET /api/{word}/{id}/ HTTP/1.1" 200 {n}'), ("INFO", '"POST /api/{word}/ HTTP/1.1" 201 {n}'), ("WARNING", "Not Found: /api/{word}/{id}/"), ("INFO", "session {hex} refreshed"), ("WARNING", "Unauthorized: /api/me/")],
 "celery": [("INFO", "Task shop.tasks.{word}[{uuid}] received"), ("INFO", "Task shop.tasks.{word}[{uuid}] succeeded in {sec}s: None"), ("WARNING", "Task shop.tasks.{word}[{uuid}] retry: Retry in {d}s"), ("INFO", "sync with celery@worker-{d}")],
 "go": [("info", "finished unary call with code OK grpc.method={Word} grpc.time_ms={ms}"), ("info", "handled {word} id={id} dur={ms}ms"), ("debug", "pool stats idle={d} open={d}"), ("warn", "client cancelled request grpc.method={Word}"), ("info", "reconciled {n} items")],
 "node": [("info", "GET /bff/{word}/{id} 200 {ms}ms"), ("info", "POST /bff/{word} 200 {ms}ms"), ("warn", "deprecated header x-client-ver from {ip}"), ("debug", "dataloader batch size={d}"), ("info", "session renewed user={id}")],
 "dotnet": [("Information", "Request finished HTTP/1.1 GET /api/{word}/{id} - 200 {ms}ms"), ("Information", "Executed DbCommand ({d}ms) [Parameters=[@p0='?'], CommandType='Text', CommandTimeout='30']"), ("Warning", "The query uses a row limiting operator without OrderBy"), ("Information", "Published {Word}Event {uuid}")],
 "laravel": [("info", "{word}.index served user={id} in {ms}ms"), ("info", "Processing: App\\Jobs\\{Word}Job"), ("info", "Processed:  App\\Jobs\\{Word}Job"), ("warning", "CSRF token mismatch for {ip}"), ("notice", "cart {hex} restored from session")],
 "elixir": [("info", "GET /rooms/{id} Sent 200 in {ms}ms"), ("info", "JOINED room:{id} in {d}ms"), ("debug", "presence diff joins={d} leaves={d}"), ("info", "CONNECTED TO ChatWeb.UserSocket in {d}ms Transport: :websocket"), ("warning", "push notification token invalid user={id}")],
 "rust": [("INFO", "proxied {word} upstream={ip}:8080 status=200 elapsed_ms={ms}"), ("INFO", "tls handshake complete peer={ip} proto=h2"), ("DEBUG", "connection recycled idle_s={d}"), ("WARN", "client closed before response peer={ip}")],
 "k8s": [("Normal", "Successfully assigned prod/{word}-{hex} to node-{d}"), ("Normal", "Pulled image already present on machine"), ("Normal", "Readiness probe ok {word}-{hex}"), ("Warning", "Readiness probe failed: {word}-{hex}: Get http://{ip}:8080/healthz: context deadline exceeded"), ("Normal", "Scaled deployment {word} to {d}")],
 "airflow": [("INFO", "Marking task as SUCCESS. dag_id={word}_hourly task_id=load"), ("INFO", "Executing <Task(SparkSubmitOperator): {word}>"), ("INFO", "Dependencies all met for {word}_hourly.extract"), ("WARNING", "DAG {word}_daily import took {sec}s"), ("INFO", "Sensor poke {word}_landing")],
 "spark": [("INFO", "TaskSetManager: Finished task {d}.0 in stage {d}.0 (TID {id}) in {ms} ms on {ip}"), ("INFO", "BlockManagerInfo: Added broadcast_{d}_piece0 in memory on {ip}"), ("WARN", "TaskSetManager: Lost task {d}.0 in stage {d}.0: ExecutorLostFailure (preempted)"), ("INFO", "FileOutputCommitter: Saved output of task attempt_{id}")],
 "postgres": [("LOG", "checkpoint complete: wrote {n} buffers; write={sec} s"), ("LOG", "automatic vacuum of table \"app.public.{word}\": index scans: 1"), ("LOG", "connection authorized: user=app database=app"), ("LOG", "duration: {ms} ms  statement: SELECT * FROM {word} WHERE id = $1")],
 "mssql": [("Information", "Login succeeded for user 'svc_app'. [CLIENT: {ip}]"), ("Information", "Log was backed up. Database: Trade, first LSN: {id}:{n}:1"), ("Information", "CHECKPOINT wrote {n} pages")],
 "cassandra": [("INFO", "Writing Memtable-{word}@{id}({kb}KiB serialized bytes)"), ("INFO", "Compacted ({uuid}) {d} sstables to [/data/{word}] {kb}MiB"), ("INFO", "G1 Young Generation GC in {ms}ms."), ("WARN", "Batch for [{word}] is of size {kb}, exceeding specified threshold")],
 "rabbitmq": [("info", "accepting AMQP connection <0.{id}.0> ({ip}:{n} -> {ip}:5672)"), ("info", "closing AMQP connection <0.{id}.0>"), ("warning", "closing AMQP connection <0.{id}.0> ({ip}): client unexpectedly closed TCP connection")],
 "minio": [("INFO", "PUT /{word}/{hex} 200 {ms}ms"), ("INFO", "GET /{word}/{hex} 200 {ms}ms"), ("INFO", "healing scan cycle {n} done"), ("WARN", "client {ip} sent unsupported checksum header")],
 "clickhouse": [("Debug", "executeQuery: (from {ip}) SELECT count() FROM {word}_events WHERE d = today()"), ("Debug", "MergerMutator: Merged {d} parts: {hex}"), ("Information", "MemoryTracker: Peak memory usage (for query): {kb} MiB"), ("Information", "executeQuery: Read {id} rows in {sec} sec.")],
 "redis": [("notice", "{n} changes in 300 seconds. Saving..."), ("notice", "Background saving terminated with success"), ("notice", "DB saved on disk")],
 "ml": [("INFO", "scored batch size={d} model=v{d} in {ms} ms"), ("INFO", "feature fetch {word} n={n} {ms} ms"), ("WARNING", "feature {word}_7d missing for entity {id}, default used"), ("INFO", "shadow comparison agreement={pct}%")],
 "mobile": [("info", "GET /m/v3/{word} 200 {ms}ms app=ios/8.{d}.0"), ("info", "GET /m/v3/{word} 200 {ms}ms app=android/8.{d}.1"), ("info", "flag eval ctx={hex} n={d}"), ("warn", "unsupported locale from app=android/7.{d}.0"), ("info", "POST /m/v3/{word} 202 {ms}ms app=ios/8.{d}.0")],
}
WORDS = "orders invoices catalog customers shipments quotes sessions profiles events baskets ratings routes depots refunds tariffs stock alerts payouts".split()


class Bundle:
    def __init__(self, name, seed, start, hours, step, target, words=None):
        self.name, self.step, self.target = name, step, target
        self.r, self.rng = random.Random(seed), np.random.default_rng(seed)
        self.t0 = datetime.fromisoformat(start.replace("Z", "+00:00"))
        self.mins = hours * 60
        self.n = int(self.mins * 60 / step)
        self.m = np.arange(self.n) * step / 60.0
        self.rows, self.logs, self.spans, self.chg, self.alerts, self.edges, self.exp = [], [], [], [], [], None, {}
        self.words = words or WORDS

    # ---- time
    def ts(self, minute, frac=True, tz=0):
        d = self.t0 + timedelta(minutes=float(minute))
        if tz:
            return d.astimezone(timezone(timedelta(hours=tz))).isoformat(timespec="seconds")
        s = d.isoformat(timespec="milliseconds" if frac else "seconds")
        return s.replace("+00:00", "Z")

    # ---- shapes over the axis, 0..1
    def stp(self, at, tau=0.0):
        x = self.m - at
        return np.where(x < 0, 0.0, 1 - np.exp(-np.maximum(x, 0) / tau) if tau else 1.0)
    def ramp(self, a, b):
        return np.clip((self.m - a) / (b - a), 0, 1)
    def pulse(self, a, b, tau=0.5):
        return self.stp(a, tau) * (1 - self.stp(b, tau))
    def growth(self, a, b, k=3):
        x = self.ramp(a, b); return (np.exp(k * x) - 1) / (np.exp(k) - 1)
    def day(self, depth=0.3, peak_min=0, period=1440):
        return 1 + depth * np.cos(2 * np.pi * (self.m - peak_min) / period)
    def ar(self, sd, phi=.6):
        e = self.rng.normal(0, sd * (1 - phi ** 2) ** .5, self.n); o = np.zeros(self.n); p = 0
        for i in range(self.n):
            p = phi * p + e[i]; o[i] = p
        return o

    # ---- metrics
    def put(self, comp, metric, arr, gap=None, dec=None):
        mag = np.median(np.abs(arr)) or 1
        if dec is None:
            dec = 0 if mag >= 1000 else 1 if mag >= 50 else 2 if mag >= 1 else 4
        every = 1
        for i, v in enumerate(np.asarray(arr, float)):
            if gap and any(a <= self.m[i] < b for a, b in gap):
                continue
            if self.rng.random() < .0015:
                continue
            v = round(float(v), dec)
            self.rows.append((i, comp, metric, int(v) if v == int(v) else v))
    def g(self, comp, metric, base, noise=.06, mul=1, add=0, season=0, phi=.5, lo=0, hi=None, gap=None, dec=None, floor=0):
        a = base * (1 + season * np.sin(2 * np.pi * self.m / 47 + self.rng.random() * 6)) * (1 + self.ar(noise, phi)) * mul
        add = np.zeros(self.n) + add
        a = a + add * (1 + self.ar(noise, phi)) + (self.rng.normal(0, floor, self.n) if floor else 0)
        a = np.clip(a, lo, hi if hi is not None else np.inf)
        self.put(comp, metric, a, gap, dec)
        return a
    def c(self, comp, metric, rate, mul=1, add=0, start=None, reset=(), gap=None, noise=.05):
        """counter; rate per second"""
        lam = np.clip((rate * (1 + self.ar(noise)) * mul + add) * self.step, 0, None) * np.ones(self.n)
        inc = self.rng.poisson(lam)
        v = np.cumsum(inc) + (start if start is not None else self.r.randint(10 ** 4, 10 ** 6))
        for m in reset:
            k = np.argmax(self.m >= m); v[k:] = v[k:] - v[k - 1]
        self.put(comp, metric, v.astype(float), gap, 0)
    def k(self, comp, metric, v=0, blips=0, size=1):
        a = np.full(self.n, float(v))
        for _ in range(blips):
            a[self.r.randrange(self.n)] += size
        self.put(comp, metric, a)

    def svc(self, comp, style="prom", rps=50, p50=20, p99=140, err=.001, traffic=1, slow=1, slow50=None, fail=0, cpu=.35, cpum=1, mem=480, memm=1, reset=(), gap=None, host=None):
        """a service's usual dashboard in the naming habit of its team; fail = extra error fraction"""
        one = np.ones(self.n)
        tr, fl, slow50 = traffic * one, fail * one, slow ** .5 if slow50 is None else slow50
        tr = tr * (1 + self.ar(.04, .7))
        e = rps * tr * (err + fl); k = comp.replace("-", "_")
        if style == "prom":
            self.c(comp, "http_requests_total", rps, mul=tr, reset=reset, gap=gap)
            self.c(comp, 'http_requests_total{code="5xx"}', 0, add=e, start=self.r.randint(3, 400), reset=reset, gap=gap)
            self.g(comp, "http_request_duration_seconds:p50", p50 / 1e3, .05, slow50, gap=gap)
            self.g(comp, "http_request_duration_seconds:p99", p99 / 1e3, .11, slow, gap=gap)
            self.g(comp, "container_cpu_usage_cores", cpu * 2, .08, cpum * tr ** .7, gap=gap)
            self.g(comp, "container_memory_working_set_mib", mem, .012, memm, phi=.9, gap=gap)
        elif style == "statsd":
            self.g(comp, f"{k}.request.count", rps * self.step, .05, tr, gap=gap, dec=0)
            self.g(comp, f"{k}.request.time.mean", p50 * 1.3, .06, slow50, gap=gap)
            self.g(comp, f"{k}.request.time.upper_95", p99 * .7, .1, slow, gap=gap)
            self.put(comp, f"{k}.request.error", self.rng.poisson(np.clip(e * self.step, 0, None)), gap, 0)
            self.g(comp, f"{k}.proc.rss_mb", mem, .012, memm, phi=.9, gap=gap)
        elif style == "cw":
            self.g(comp, "RequestCount", rps * self.step, .05, tr, gap=gap, dec=0)
            self.g(comp, "TargetResponseTime", p50 * 1.4 / 1e3, .09, slow, gap=gap)
            self.put(comp, "HTTPCode_Target_5XX_Count", self.rng.poisson(np.clip(e * self.step, 0, None)), gap, 0)
            self.g(comp, "CPUUtilization", cpu * 100, .07, cpum * tr ** .7, hi=99.6, gap=gap)
            self.g(comp, "MemoryUtilization", min(80, mem / 12), .012, memm, hi=99, phi=.9, gap=gap)
        elif style == "micrometer":
            self.c(comp, "http_server_requests_seconds_count", rps, mul=tr, reset=reset, gap=gap)
            self.g(comp, "http_server_requests_seconds_p95", p99 * .7 / 1e3, .1, slow, gap=gap)
            self.c(comp, 'http_server_requests_seconds_count{outcome="SERVER_ERROR"}', 0, add=e, start=self.r.randint(3, 90), reset=reset, gap=gap)
            saw = 1 + .25 * ((self.m / (7 + self.r.random() * 5)) % 1)
            self.g(comp, 'jvm_memory_used_bytes{area="heap"}', mem * 1e6, .02, memm * saw, gap=gap, dec=-5)
            self.g(comp, "jvm_gc_pause_seconds_max", .03, .35, gap=gap)
            self.g(comp, "process_cpu_usage", cpu, .08, cpum * tr ** .7, hi=1, gap=gap)
        elif style == "dd":
            self.g(comp, "trace.web.request.hits", rps, .05, tr, gap=gap)
            self.g(comp, "trace.web.request.duration.by.p95", p99 * .7 / 1e3, .1, slow, gap=gap)
            self.put(comp, "trace.web.request.errors", self.rng.poisson(np.clip(e * self.step, 0, None)), gap, 0)
            self.g(comp, "system.cpu.user", cpu * 100, .08, cpum * tr ** .7, hi=99.5, gap=gap)
            self.g(comp, "process.mem.rss", mem * 1048576, .012, memm, phi=.9, gap=gap, dec=-5)

    # ---- logs
    def fill(self, s):
        r = self.r
        def sub(mo):
            k = mo.group(1)
            return {"ip": lambda: f"10.{r.randint(1,40)}.{r.randint(0,255)}.{r.randint(2,250)}", "id": lambda: str(r.randint(10000, 999999)), "n": lambda: str(r.randint(20, 4000)),
                    "d": lambda: str(r.randint(1, 24)), "kb": lambda: str(r.randint(50, 9000)), "ms": lambda: str(int(r.lognormvariate(3.6, .7))), "sec": lambda: f"{r.lognormvariate(-3,.7):.3f}",
                    "pct": lambda: f"{r.uniform(88,99.5):.1f}", "hex": lambda: f"{r.getrandbits(32):08x}", "uuid": lambda: f"{r.getrandbits(32):08x}-{r.getrandbits(16):04x}-4{r.getrandbits(12):03x}",
                    "word": lambda: r.choice(self.words), "Word": lambda: r.choice(self.words).capitalize()}[k]() if k in ("ip","id","n","d","kb","ms","sec","pct","hex","uuid","word","Word") else mo.group(0)
        return re.sub(r"\{(\w+)\}", sub, s)
    def log(self, comp, minute, level, msg, **a):
        self.logs.append((minute, {"timestamp": self.ts(minute), "component": comp, "level": level, "message": self.fill(msg), **{k: self.fill(v) if isinstance(v, str) else v for k, v in a.items()}}))
    def chat(self, comp, stack, n, extra=(), until=None, start=0, w=None):
        """n lines of ordinary chatter, with a few harmless warnings"""
        T = CHAT[stack] + list(extra)
        wt = [.12 if l.lower().startswith(("warn",)) else 1 for l, _ in T]
        for _ in range(n):
            l, s = self.r.choices(T, wt)[0]
            self.log(comp, self.r.uniform(start, until or self.mins), l, s)
    def burst(self, comp, level, msgs, a, b, per_min, grow=False, **attrs):
        """lines at a rate from minute a to b; grow: rate rises linearly from 0"""
        msgs = [msgs] if isinstance(msgs, str) else msgs
        n = int((b - a) * per_min)
        for _ in range(n):
            u = self.r.random()
            self.log(comp, a + (b - a) * (u ** .5 if grow else u), level, self.r.choice(msgs), **attrs)

    # ---- spans. node = (component, name, self_ms, [children])
    def traces(self, n, tree, slow=None, fail=None, a=0, b=None):
        slow, fail = slow or {}, fail or {}
        at = lambda f, m: float(np.interp(m, self.m, f)) if isinstance(f, np.ndarray) else (f(m) if callable(f) else f)
        hx = lambda k: f"{self.r.getrandbits(4*k):0{k}x}"
        for _ in range(n):
            m = self.r.uniform(a, b or self.mins - 1); tid = hx(16); out = []
            def go(node, parent, start):
                comp, name, ms, kids = node; sid = hx(8); key = f"{comp}:{name}"
                own = ms * self.r.lognormvariate(0, .3) * at(slow.get(key, slow.get(comp, 1)), m)
                bad = self.r.random() < at(fail.get(key, fail.get(comp, 0)), m); cur = start + own * .4; kbad = False
                for kd in kids:
                    rep = kd[4] if len(kd) > 4 else 1
                    rep = int(round(at(rep, m)))
                    for _ in range(rep):
                        d, kb = go(kd[:4], sid, cur); cur += d; kbad |= kb
                        if kb: break
                    if kbad: break
                dur = cur - start + own * .6
                out.append({"trace_id": tid, "span_id": sid, "parent_id": parent, "component": comp, "name": name, "start": self.ts(m + start / 6e4), "duration_ms": round(dur, 1), "status": "ERROR" if bad or kbad else "OK"})
                return dur, bad or kbad
            go(tree, None, 0.0); self.spans += sorted(out, key=lambda s: s["start"])

    # ---- changes
    def sha(self):
        return f"{self.r.getrandbits(160):040x}"
    def change(self, id, kind, minute, comp, author, title, files=(), diff=None, commit=None, tz=0):
        if kind == "commit" and commit is None: commit = self.sha()
        self.chg.append((minute, {"id": id, "kind": kind, "timestamp": self.ts(minute, False, tz), "component": comp, "author": author, "title": title, "files": list(files), "diff": diff, "commit": commit}))
        return commit

    def alert(self, name, comp, minute, sev, summary, desc="", end=None, label="service", **lab):
        labels = {"alertname": name, "severity": sev, label: comp, **lab}
        fp = hashlib.md5(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]
        self.alerts.append({"status": "resolved" if end else "firing", "labels": labels, "annotations": {"summary": summary, "description": desc or summary},
                            "startsAt": self.ts(minute), "endsAt": self.ts(end) if end else "0001-01-01T00:00:00Z", "generatorURL": f"https://prom.example.internal/graph?g0.expr=ALERTS%7Balertname%3D%22{name}%22%7D", "fingerprint": fp})

    def expect(self, family, cause, component, change=None, decoys=(), onset=None, onset_range=None, healthy=False, why="", change_also=(), **x):
        e = {"family": family, "cause": cause, "component": component, "change": change, "decoys": list(decoys), "onset": self.ts(onset, False) if onset is not None else None,
             "onset_range": [self.ts(v, False) for v in onset_range] if onset_range else None, "healthy": healthy, "why": why}
        if change_also: e["change_also"] = list(change_also)
        e.update(x); self.exp = e

    def write(self, opened=None, metrics=True, logs=True, topology=True):
        files = {}
        first = min((a["startsAt"] for a in self.alerts))
        o = self.ts(opened) if opened is not None else first
        files["incident.json"] = json.dumps({"id": f"INC-{self.r.randint(1000,9999)}", "target": self.target, "opened_at": o, "alerts": self.alerts, "window": {"start": self.ts(0, False), "end": self.ts(self.mins, False)}}, indent=1)
        if metrics and self.rows:
            s = io.StringIO(); w = csv.writer(s, lineterminator="\n"); w.writerow(["timestamp", "component", "metric", "value"])
            tss = [self.ts(x, False) for x in self.m]
            for i, c, k, v in sorted(self.rows, key=lambda x: x[0]): w.writerow([tss[i], c, k, v])
            files["metrics.csv"] = s.getvalue()
        if logs and self.logs:
            files["logs.ndjson"] = "".join(json.dumps(d, ensure_ascii=False) + "\n" for _, d in sorted(self.logs, key=lambda x: x[0]) if 0 <= _ <= self.mins)
        if self.spans:
            files["spans.ndjson"] = "".join(json.dumps(d) + "\n" for d in self.spans)
        files["changes.ndjson"] = "".join(json.dumps(d, ensure_ascii=False) + "\n" for _, d in sorted(self.chg, key=lambda x: x[0]))
        if not self.exp["change"]:  # nothing to blame: every change is a decoy
            self.exp["decoys"] += [c["id"] for _, c in self.chg if c["id"] not in self.exp["decoys"]]
        if topology and self.edges:
            files["topology.json"] = json.dumps({"edges": self.edges})
        d = os.path.join(ROOT, "bundles", self.name); os.makedirs(d, exist_ok=True)
        for f in os.listdir(d): os.remove(os.path.join(d, f))
        with zipfile.ZipFile(d + ".zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
            for f, s in files.items():
                open(os.path.join(d, f), "w").write(s)
                zi = zipfile.ZipInfo(f, (2024, 1, 1, 0, 0, 0)); zi.compress_type = zipfile.ZIP_DEFLATED; z.writestr(zi, s, compresslevel=9)
        p = os.path.join(ROOT, "expected.json"); allx = json.load(open(p)) if os.path.exists(p) else {}
        allx[self.name] = self.exp; json.dump(dict(sorted(allx.items())), open(p, "w"), indent=1)
        print(f"{self.name:34s} {os.path.getsize(d+'.zip')/1024:6.0f} KB series={len({(c,k) for _,c,k,_ in self.rows})} logs={len(self.logs)} spans={len(self.spans)} changes={len(self.chg)} comps={len({c for _,c,_,_ in self.rows})}")


# ------------------------------------------------------------------ additions: more stacks, more naming habits, a shelf of innocent changes
CHAT.update({
 "rails": [("INFO", "Completed 200 OK in {ms}ms (Views: {d}.1ms | ActiveRecord: {d}.4ms) path=/{word}/{id}"), ("INFO", "Started GET \"/{word}\" for {ip}"), ("INFO", "[ActiveJob] Enqueued {Word}Job (Job ID: {uuid}) to Sidekiq(default)"), ("WARN", "DEPRECATION WARNING: to_s(:db) is deprecated"), ("INFO", "Rendered {word}/index.html.erb (Duration: {d}.2ms)")],
 "sidekiq": [("INFO", "{Word}Worker jid={hex} elapsed={sec} status=done"), ("INFO", "{Word}Worker jid={hex} start"), ("WARN", "{Word}Worker jid={hex} fail: Net::ReadTimeout, will retry in {d}s")],
 "lambda": [("INFO", "REPORT RequestId: {uuid} Duration: {ms} ms Billed Duration: {ms} ms Memory Size: 512 MB Max Memory Used: 21{d} MB"), ("INFO", "START RequestId: {uuid} Version: $LATEST"), ("INFO", "END RequestId: {uuid}"), ("INFO", "processed {word} batch size={d}"), ("WARN", "cold start init {ms} ms")],
 "kafka": [("INFO", "[GroupCoordinator {d}]: Stabilized group {word}-consumers generation {d}"), ("INFO", "[Log partition={word}-{d}] Rolled new log segment at offset {id}"), ("INFO", "[Log partition={word}-{d}] Deleting segment files LogSegment(baseOffset={id})"), ("WARN", "[Consumer clientId={word}-{d}] Offset commit with offsets took {ms} ms")],
 "ktor": [("INFO", "200 OK: POST - /{word}/{id} in {ms}ms"), ("INFO", "consumed {n} records topic={word} partition={d}"), ("DEBUG", "hikari pool stats (total={d}, active={d}, idle={d}, waiting=0)"), ("WARN", "slow {word} lookup {ms}ms")],
 "php": [("INFO", "request {uuid} route=/{word}/{id} status=200 took={ms}ms"), ("INFO", "cache hit key={word}:{id}"), ("NOTICE", "session {hex} regenerated"), ("WARNING", "PHP Deprecated: Creation of dynamic property in {Word}View.php on line {d}"), ("INFO", "opcache: scripts={n} hit_rate={pct}")],
 "haproxy": [("INFO", "{ip}:{n} fe_https be_{word}/srv{d} 0/0/1/{ms}/{ms} 200 {kb} ---- {n}/{n}/{d}/{d}/0 0/0"), ("INFO", "Health check for server be_{word}/srv{d} succeeded"), ("NOTICE", "stick-table peers resync done")],
 "elastic": [("INFO", "[node-{d}] [gc][{id}] overhead, spent [{ms}ms] collecting in the last [1s]"), ("INFO", "[{word}-2024][{d}] refresh took [{ms}ms]"), ("INFO", "updating number_of_replicas to [1] for indices [{word}]"), ("WARN", "[{word}][{d}] took[{ms}ms], types[], search_type[QUERY_THEN_FETCH], total_hits[{n}]")],
 "mysql": [("Note", "Aborted connection {id} to db: 'shop' user: 'app' host: '{ip}' (Got timeout reading communication packets)"), ("Note", "InnoDB: page_cleaner: 1000ms intended loop took {n}ms"), ("Note", "# Query_time: 0.{n}  Rows_examined: {n}  SELECT * FROM {word} WHERE id={id};")],
 "batch": [("INFO", "step {word}_stage finished rows={id} elapsed={d}s"), ("INFO", "partition dt=2024 written files={d} rows={id}"), ("INFO", "checkpoint saved at offset {id}"), ("WARN", "slow upload part {d} ({ms} ms)")],
 "worker": [("INFO", "picked job {hex} type={word}"), ("INFO", "job {hex} done in {sec}s"), ("DEBUG", "heartbeat ok"), ("WARN", "job {hex} took {ms} ms over soft budget")],
 "envoy": [("info", "[{d}][http] 'GET /{word}/{id} HTTP/2' 200 - 0 {kb} {ms} '{ip}'"), ("info", "[{d}][upstream] cds: added/updated {d} cluster(s), skipped {d}"), ("debug", "[{d}][pool] creating new connection to {word}")],
 "flaskml": [("INFO", "predict n={d} latency_ms={ms} model={word}-v{d}"), ("INFO", "feature vector cache hit={pct}%"), ("WARNING", "missing feature {word}_28d for id={id}; imputed")],
 "kube": [("Normal", "Pulled: Container image already present on machine pod/{word}-{hex}"), ("Normal", "SuccessfulCreate: Created pod: {word}-{hex}"), ("Normal", "SuccessfulRescale: New size: {d}; reason: cpu resource utilization above target"), ("Warning", "Unhealthy: Readiness probe failed: context deadline exceeded pod/{word}-{hex}")],
})

_INN = {
 "java-log": ("Log the tenant with slow requests", "src/main/java/app/web/SlowRequestFilter.java", """
@@ -31,7 +31,8 @@ public class SlowRequestFilter extends OncePerRequestFilter {
         long took = (System.nanoTime() - begun) / 1_000_000;
         if (took > softLimitMs) {
-            log.warn("Request {} took {} ms", req.getRequestURI(), took);
+            log.warn("Request {} took {} ms, tenant {}",
+                req.getRequestURI(), took, TenantHolder.idOrDash());
         }
"""),
 "java-dto": ("Expose loyalty tier in the customer response", "src/main/java/app/api/CustomerView.java", """
@@ -14,9 +14,11 @@ public record CustomerView(
     String id,
     String displayName,
-    Locale locale) {
+    Locale locale,
+    @JsonInclude(Include.NON_NULL) String loyaltyTier) {
 
     static CustomerView of(Customer c) {
-        return new CustomerView(c.id(), c.name(), c.locale());
+        return new CustomerView(c.id(), c.name(), c.locale(), c.tierOrNull());
     }
"""),
 "go-metrics": ("Add histogram buckets below 5 ms", "internal/obs/metrics.go", """
@@ -22,7 +22,7 @@ var reqDur = promauto.NewHistogramVec(prometheus.HistogramOpts{
 	Name:    "rpc_duration_seconds",
 	Help:    "Time spent serving a call.",
-	Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5},
+	Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
 }, []string{"method", "code"})
"""),
 "go-ctx": ("Pass the request context to the audit writer", "internal/audit/writer.go", """
@@ -40,8 +40,8 @@ func (w *Writer) Append(ctx context.Context, e Event) error {
 	if e.Actor == "" {
 		e.Actor = "system"
 	}
-	return w.sink.Put(context.Background(), e)
+	return w.sink.Put(ctx, e)
 }
"""),
 "go-retry": ("Use jitter in the back-off of the webhook sender", "internal/webhook/backoff.go", """
@@ -9,6 +9,8 @@ func Delay(attempt int) time.Duration {
 	d := base << attempt
 	if d > maxDelay {
 		d = maxDelay
 	}
-	return d
+	// spread the retries of many receivers
+	half := int64(d) / 2
+	return time.Duration(half + rand.Int63n(half+1))
 }
"""),
 "ts-copy": ("Reword the empty state of the saved items page", "src/pages/saved/EmptyState.tsx", """
@@ -6,7 +6,7 @@ export function EmptyState({ onBrowse }: Props) {
   return (
     <Panel tone="quiet">
-      <h2>Nothing here</h2>
+      <h2>You have not saved anything yet</h2>
       <Button onClick={onBrowse}>Browse</Button>
     </Panel>
   );
"""),
 "ts-header": ("Send x-request-id on to the upstreams", "src/http/upstream.ts", """
@@ -18,7 +18,8 @@ export async function call<T>(svc: string, path: string, ctx: Ctx): Promise<T> {
   const res = await fetch(`${base(svc)}${path}`, {
     headers: {
       accept: 'application/json',
+      'x-request-id': ctx.requestId,
       authorization: ctx.serviceToken,
     },
"""),
 "ts-type": ("Narrow the type of the address form", "src/forms/address.ts", """
@@ -3,7 +3,7 @@
 export interface AddressForm {
   line1: string;
-  line2?: any;
+  line2?: string | null;
   postcode: string;
   country: CountryCode;
 }
"""),
 "rb-view": ("Show the delivery window in the order mail", "app/views/order_mailer/confirmed.html.erb", """
@@ -11,5 +11,8 @@
 <p><%= t('.thanks', name: @order.first_name) %></p>
+<% if @order.delivery_window %>
+  <p><%= t('.window', window: l(@order.delivery_window.begin)) %></p>
+<% end %>
 <%= render 'lines', lines: @order.lines %>
"""),
 "rb-scope": ("Hide archived tags in the picker", "app/models/tag.rb", """
@@ -4,4 +4,5 @@ class Tag < ApplicationRecord
   has_many :taggings, dependent: :delete_all
   validates :name, presence: true
+  scope :pickable, -> { where(archived_at: nil).order(:name) }
 end
"""),
 "py-log": ("Structured logging for the import command", "app/management/import_cmd.py", """
@@ -27,7 +27,7 @@ def run(path, dry_run=False):
     for n, row in enumerate(read(path), 1):
         if n % 1000 == 0:
-            print("row", n)
+            log.info("import.progress", extra={"row": n, "path": path})
         save(row, dry_run=dry_run)
"""),
 "py-admin": ("Admin: list filter by country", "app/admin.py", """
@@ -52,5 +52,5 @@ class AccountAdmin(ModelAdmin):
     list_display = ("email", "plan", "created")
-    list_filter = ("plan",)
+    list_filter = ("plan", "country")
     search_fields = ("email",)
"""),
 "py-feature": ("Clip the age feature at 120 in training", "training/features/age.py", """
@@ -8,4 +8,4 @@ def age_years(birth, today):
     years = (today - birth).days / 365.25
-    return years
+    return min(years, 120.0)
"""),
 "php-view": ("Escape the teaser title", "templates/teaser.twig", """
@@ -2,5 +2,5 @@
 <article class="teaser">
-  <h3>{{ item.title|raw }}</h3>
+  <h3>{{ item.title }}</h3>
   <p>{{ item.lead }}</p>
 </article>
"""),
 "sql-comment": ("Comment columns of the ledger table", "db/migrations/V214__ledger_comments.sql", """
@@ -0,0 +1,3 @@
+COMMENT ON COLUMN ledger_entry.booked_at IS 'time of booking, UTC';
+COMMENT ON COLUMN ledger_entry.value_date IS 'value date given by the bank';
+COMMENT ON TABLE ledger_entry IS 'append only';
"""),
 "helm-label": ("Add cost-center label to the pods", "charts/{c}/values.yaml", """
@@ -18,6 +18,7 @@ podLabels:
   app.kubernetes.io/name: {c}
   team: platform
+  cost-center: "4410"
 
 replicaCount: 4
"""),
 "helm-hpa": ("Raise maxReplicas from 8 to 12", "charts/{c}/values-prod.yaml", """
@@ -7,6 +7,6 @@ autoscaling:
   enabled: true
   minReplicas: 4
-  maxReplicas: 8
+  maxReplicas: 12
   targetCPUUtilizationPercentage: 70
"""),
 "tf-tags": ("Tag buckets with data class", "terraform/storage/buckets.tf", """
@@ -12,5 +12,6 @@ resource "cloud_bucket" "exports" {
   name = "exports-prod"
   tags = {
     owner = "data-platform"
+    class = "internal"
   }
 }
"""),
 "tf-alarm": ("Add an alarm for unused volumes", "terraform/monitoring/alarms.tf", """
@@ -88,3 +88,9 @@
+resource "cloud_alarm" "idle_volume" {
+  metric    = "VolumeIdleTime"
+  period    = 3600
+  threshold = 3500
+  notify    = [var.topic_cost]
+}
"""),
 "css": ("Fix contrast of the secondary button", "web/styles/button.css", """
@@ -21,5 +21,5 @@
 .btn--secondary {
-  color: #8a8f98;
+  color: #5a606b;
   background: transparent;
 }
"""),
 "dash": ("Dashboard: one row per region", "dashboards/{c}.json", """
@@ -4,5 +4,6 @@
   "templating": {
-    "list": []
+    "list": [{"name": "region", "type": "query", "query": "label_values(up, region)"}]
   },
   "title": "{c} overview",
"""),
 "ci": ("CI: cache the build layer", "ci/build.yml", """
@@ -14,5 +14,8 @@ jobs:
     steps:
       - uses: checkout
+      - uses: cache
+        with:
+          key: deps-${{ hash('lockfile') }}
       - run: make build
"""),
 "test-bump": ("Bump test runner 5.9.1 -> 5.9.3 (dev only)", "package.json", """
@@ -44,5 +44,5 @@
   "devDependencies": {
     "eslint": "8.57.0",
-    "testrunner": "5.9.1",
+    "testrunner": "5.9.3",
     "typescript": "5.4.5"
   }
"""),
 "kt-test": ("Extract the address normaliser", "src/main/kotlin/app/address/Normaliser.kt", """
@@ -1,7 +1,9 @@
 package app.address
 
-fun normalise(raw: String): String = raw.trim().replace(Regex("\\\\s+"), " ")
+private val spaces = Regex("\\\\s+")
+
+fun normalise(raw: String): String = raw.trim().replace(spaces, " ")
"""),
}


class B(Bundle):
    def inn(self, id, key, minute, comp, author, kind="deploy", nodiff=False, commit=None, title=None, tz=0):
        """an innocent change from the shelf"""
        t, p, h = _INN[key]; p = p.replace("{c}", comp); h = h.replace("{c}", comp)
        self.change(id, kind, minute, comp, author, title or t, [p], None if nodiff else diff(p, h), commit=commit or (self.sha() if kind == "deploy" else None), tz=tz)

    def svc2(self, comp, style, rps=50, p50=20, p99=140, err=.001, traffic=1, slow=1, slow50=None, fail=0, cpu=.35, cpum=1, mem=480, memm=1, **_):
        """more naming habits: otel, graphite, lambda, grpc"""
        one = np.ones(self.n); tr = traffic * one * (1 + self.ar(.04, .7)); fl = fail * one; slow50 = (slow ** .5 if slow50 is None else slow50)
        e = rps * tr * (err + fl); k = comp.replace("-", "_")
        if style == "otel":
            self.g(comp, "http.server.request.rate", rps, .05, tr)
            self.g(comp, "http.server.request.duration.p50_ms", p50, .05, slow50)
            self.g(comp, "http.server.request.duration.p95_ms", p99 * .7, .1, slow)
            self.put(comp, "http.server.errors", self.rng.poisson(np.clip(e * self.step, 0, None)), None, 0)
            self.g(comp, "process.cpu.utilization", cpu, .08, cpum * tr ** .7, hi=1)
            self.g(comp, "process.memory.usage_mb", mem, .012, memm, phi=.9)
        elif style == "graphite":
            self.g(comp, f"stats.timers.{k}.all.p95", p99 * .7, .1, slow)
            self.g(comp, f"stats.timers.{k}.all.mean", p50 * 1.2, .06, slow50)
            self.g(comp, f"stats.{k}.requests", rps, .05, tr)
            self.put(comp, f"stats.{k}.status.5xx", self.rng.poisson(np.clip(e * self.step, 0, None)), None, 0)
            self.g(comp, f"servers.{k}.cpu.busy", cpu * 100, .08, cpum * tr ** .7, hi=99.8)
        elif style == "lambda":
            self.g(comp, "Invocations", rps * self.step, .06, tr, dec=0)
            self.put(comp, "Errors", self.rng.poisson(np.clip(e * self.step, 0, None)), None, 0)
            self.g(comp, "Duration_p95", p99 * .7, .1, slow)
            self.g(comp, "Duration_avg", p50 * 1.2, .06, slow50)
            self.k(comp, "Throttles", 0)
            self.g(comp, "ConcurrentExecutions", max(2, rps * p50 / 1e3 * 1.5), .12, tr * slow50, dec=0)
        elif style == "grpc":
            self.c(comp, "grpc_server_handled_total{code=\"OK\"}", rps, mul=tr * (1 - np.clip(fl, 0, .99)))
            self.c(comp, "grpc_server_handled_total{code=\"Unavailable\"}", 0, add=e, start=self.r.randint(1, 99))
            self.g(comp, "grpc_server_handling_seconds:p95", p99 * .7 / 1e3, .1, slow)
            self.g(comp, "go_goroutines", 180, .05, slow50)
            self.g(comp, "process_resident_memory_mib", mem, .012, memm, phi=.9)
        else:
            self.svc(comp, style, rps, p50, p99, err, traffic, slow, slow50, fail, cpu, cpum, mem, memm)

    def pg(self, comp, active=6, act_add=0, tps=300, tpsm=1, cpu=25, cpum=1, disk=48, disk_add=0, lat=2.0, latm=1, locks=None):
        self.g(comp, 'pg_stat_activity_count{state="active"}', active, .15, add=act_add, dec=0)
        self.c(comp, "pg_stat_database_xact_commit", tps, mul=tpsm)
        self.g(comp, "cpu_percent", cpu, .08, cpum, hi=99.7)
        self.g(comp, "volume_used_percent", disk, .001, add=disk_add, hi=100)
        self.g(comp, "query_time_avg_ms", lat, .08, latm)
        if locks is not None: self.g(comp, "pg_locks_waiting", .2, .3, add=locks, dec=0)

    def host_noise(self, comp="bastion"):
        """a component nobody calls with a spike of its own"""
        a = self.r.uniform(.1, .8) * self.mins; b = a + self.r.uniform(6, 18)
        self.g(comp, "cpu_percent", 7, .2, add=70 * self.pulse(a, b, 1), hi=100); self.g(comp, "disk_read_mb_s", 1.2, .3, add=80 * self.pulse(a, b, 1))
        return a, b

    def trace_log(self, comp, level, msg, stack, a, b, per_min, grow=False, **attrs):
        """error lines with a stack trace in an attribute"""
        self.burst(comp, level, msg, a, b, per_min, grow, stack=stack, **attrs)

    # ---- everyday dirt: background errors, restarts that reset counters, scrape gaps, harmless latency bumps
    _ERR = {"node": ("error", ["ECONNRESET while reading body from {ip}", "JsonWebTokenError: jwt expired user={id}"]), "spring": ("ERROR", ["Resolved [org.springframework.web.HttpRequestMethodNotSupportedException: Request method 'PUT' is not supported]", "java.io.IOException: Broken pipe (client {ip} went away)"]),
            "go": ("error", ["write tcp {ip}:{n}: broken pipe", "decode body: unexpected EOF id={id}"]), "nginx": ("ERROR", ["recv() failed (104: Connection reset by peer) while reading client request line, client: {ip}", "client intended to send too large body: {id}000 bytes"]),
            "django": ("ERROR", ["Invalid HTTP_HOST header: '{ip}'", "Internal Server Error: /api/{word}/{id}/ (DataError: value too long)"]), "rails": ("ERROR", ["ActionController::BadRequest (invalid %-encoding)", "ActiveRecord::RecordNotUnique on {word} id={id}"]),
            "php": ("ERROR", ["Uncaught TypeError: strlen(): Argument #1 must be of type string in Slug.php line {d}"]), "worker": ("ERROR", ["job {hex} failed once: connection reset by peer, retried"]), "ktor": ("ERROR", ["Unhandled: kotlinx.coroutines.JobCancellationException: request cancelled"]),
            "dotnet": ("Error", ["Connection id \"0H{hex}\": unexpected end of request content"]), "mobile": ("error", ["POST /m/v3/{word} 400 invalid payload app=android/7.{d}.2"]), "lambda": ("ERROR", ["Task timed out after 20.0{d} seconds {uuid}"]), "sidekiq": ("ERROR", ["{Word}Worker jid={hex} fail: ActiveRecord::RecordNotFound, will retry in {d}s"]),
            "postgres": ("ERROR", ["duplicate key value violates unique constraint \"{word}_pkey\"", "canceling statement due to user request"]), "batch": ("ERROR", ["upload part {d}: 503 SlowDown, retried"]), "elixir": ("error", ["GenServer #PID<0.{id}.0> terminating: :tcp_closed"]), "envoy": ("warning", ["remote reset '{ip}' rst reason=client"]), "spark": ("ERROR", ["TransportRequestHandler: Error sending result to /{ip}:{n}; closing connection"])}

    def chat(self, comp, stack, n, extra=(), until=None, start=0, w=None):
        super().chat(comp, stack, n, extra, until, start, w)
        if stack in self._ERR:
            l, ms = self._ERR[stack]
            for _ in range(max(1, int(n * self.r.uniform(.006, .02)))):
                self.log(comp, self.r.uniform(start, until or self.mins), l, self.r.choice(ms))

    def _bump(self, slow):
        if self.r.random() < .25:
            a = self.r.uniform(5, self.mins - 8)
            return slow * (1 + self.r.uniform(.15, .45) * self.pulse(a, a + self.r.uniform(2, 5), .4))
        return slow

    def svc(self, comp, style="prom", **k):
        s = k.get("slow", 1); k.setdefault("slow50", (s ** .5)); k["slow"] = self._bump(s); super().svc(comp, style, **k)

    def g(self, comp, metric, base, noise=.06, mul=1, add=0, **k):
        if metric.endswith(("p95", "p99", "upper_95", "p95_ms")): mul = self._bump(mul * np.ones(self.n))
        return super().g(comp, metric, base, noise, mul, add, **k)

    def write(self, opened=None, metrics=True, logs=True, topology=True):
        self._aux()
        if self.exp.get("change") and self.exp.get("onset"):  # every other deploy of the last 20 minutes is a decoy
            o = (datetime.fromisoformat(self.exp["onset"].replace("Z", "+00:00")) - self.t0).total_seconds() / 60
            for m, c in self.chg:
                if c["kind"] != "commit" and o - 20 < m <= o and c["id"] not in [self.exp["change"]] + self.exp["decoys"] + self.exp.get("change_also", []): self.exp["decoys"].append(c["id"])
        haslog = {d["component"] for _, d in self.logs}
        for m, c in self.chg:
            if c["kind"] == "deploy" and c["component"] in haslog:
                for i in range(self.r.randint(2, 4)):
                    lv = [d["level"] for _, d in self.logs if d["component"] == c["component"] and d["level"].lower() in ("info", "information", "log", "note", "normal", "notice")]
                    self.log(c["component"], m + self.r.uniform(.3, 1.8), lv[0] if lv else "INFO", self.r.choice(["instance {hex} ready after {d}.{d} s", "shutting down on SIGTERM, draining {d} connections", "starting up, build {hex}"]))
        # restarts reset the counters of the deployed component (kept in the database or by kube: not)
        reset = [(c["component"], m + 1.0) for m, c in self.chg if c["kind"] == "deploy" and self.r.random() < .6]
        by = {}
        for k, (i, c, n, v) in enumerate(self.rows): by.setdefault((c, n), []).append(k)
        for (c, n), ks in by.items():
            ts = [m for cc, m in reset if cc == c]
            if not ts or n.startswith(("kube_", "pg_", "nginx_", "sessions_")) or not re.search(r"_total|_seconds_count", n): continue
            vals = [self.rows[k][3] for k in ks]
            if any(y < x for x, y in zip(vals, vals[1:])): continue
            for m in sorted(ts):
                base = None
                for j, k in enumerate(ks):
                    i, cc, nn, v = self.rows[k]
                    if self.m[i] >= m:
                        if base is None: base = self.rows[ks[j - 1]][3] if j else v
                        self.rows[k] = (i, cc, nn, v - base)
        # a scrape gap, away from the onset
        on = None
        if self.exp.get("onset"): on = (datetime.fromisoformat(self.exp["onset"].replace("Z", "+00:00")) - self.t0).total_seconds() / 60
        comps = sorted({c for c, _ in by})
        for _ in range(self.r.choice([0, 1, 1, 2])):
            c, a = self.r.choice(comps), self.r.uniform(3, self.mins - 8); e = a + self.r.uniform(1.5, 5)
            if on is not None and a - 6 < on < e + 6: continue
            self.rows = [x for x in self.rows if not (x[1] == c and a <= self.m[x[0]] < e)]
        super().write(opened, metrics, logs, topology)

    def _aux(self):
        """the rest of a day's traffic of changes: pairs of commit and deploy, configs, commits without a diff"""
        r = random.Random(self.name); on = None
        if self.exp.get("onset"): on = (datetime.fromisoformat(self.exp["onset"].replace("Z", "+00:00")) - self.t0).total_seconds() / 60
        guilty = self.exp["component"][:1]; comps = sorted({c["component"] for _, c in self.chg} - set(guilty))
        used, names = {(c["component"], c["title"]) for _, c in self.chg}, ["r.abel", "platform-bot", "j.wren", "deploy-bot", "ines.q"]
        if r.random() < .6 and comps:
            c, k = r.choice(comps), r.choice(["ci", "dash", "css", "test-bump", "go-retry", "ts-type", "py-log", "java-log"] if "nginx" not in self.name else ["ci", "dash"])
            m = (on if on is not None else self.mins * .5) - r.uniform(1, 14); sh = f"{r.getrandbits(160):040x}"
            if m > 25:
                self.inn(f"{sh[:7]}", k, m - r.uniform(6, 20), c, r.choice(names), kind="commit", commit=sh)
                self.change(f"out-{r.randint(100, 999)}", "deploy", m, c, "deploy-bot", f"{c} build {r.randint(300, 4000)}", [], None, commit=sh)
        if r.random() < .45 and comps:
            for j in range(r.randint(2, 6)):
                c, m = r.choice(comps), r.uniform(2, self.mins - 4); t = r.choice(["Update code owners", "Fix typo in the runbook", "Refactor test fixtures", "Regenerate the client from the schema", "Remove a dead flag", "Translate two labels"])
                if r.random() < .5:
                    self.change(f"{r.getrandbits(28):07x}", "commit", m, c, r.choice(names), t, [r.choice(["OWNERS", "docs/runbook.md", "tests/fixtures/base.json", "i18n/fr.json"])], None)
                else:
                    k = r.choice(["helm-label", "helm-hpa", "tf-tags", "tf-alarm", "dash"]); self.inn(f"aux-{r.randint(1000, 9999)}", k, m, c, "platform-bot", kind="config")
