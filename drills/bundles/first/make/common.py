"""Small shared library for the incident bundles: time series, log chatter, spans, changes."""
import csv, datetime as dt, hashlib, io, json, math, os, random, re, zipfile
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# ---------- effects: callables f(t_minutes, value) -> value ----------
def _w(t, t0, t1, ramp, off):
    if t < t0: return 0.0
    w = min(1.0, (t - t0) / ramp) if ramp > 0 else 1.0
    if t1 is not None and t > t1:
        w *= max(0.0, 1 - (t - t1) / off) if off > 0 else 0.0
    return w
def mul(t0, k, t1=None, ramp=1.5, off=2): return lambda t, v: v * (1 + (k - 1) * _w(t, t0, t1, ramp, off))
def add(t0, a, t1=None, ramp=1.5, off=2): return lambda t, v: v + a * _w(t, t0, t1, ramp, off)
def setv(t0, a, t1=None, ramp=1.0, off=1.5):
    def f(t, v):
        w = _w(t, t0, t1, ramp, off)
        return v * (1 - w) + a * w
    return f
def spike(tc, k, width=1.5): return lambda t, v: v * (1 + (k - 1) * math.exp(-((t - tc) / width) ** 2))
def leak(t0, per_min, resets=(), t1=None):
    def f(t, v):
        if t < t0: return v
        last = max([t0] + [r for r in resets if r <= t])
        return v + per_min * (min(t, t1) - last if t1 is not None else t - last)
    return f
def every(period, k, width=1.0, phase=0):
    def f(t, v):
        d = (t - phase) % period
        d = min(d, period - d)
        return v * (1 + (k - 1) * math.exp(-(d / width) ** 2))
    return f
def curve(pts):
    """multiply by piecewise-linear curve [(t,k),...]"""
    def f(t, v):
        if t <= pts[0][0]: return v * pts[0][1]
        for (a, ka), (b, kb) in zip(pts, pts[1:]):
            if t <= b: return v * (ka + (kb - ka) * (t - a) / (b - a))
        return v * pts[-1][1]
    return f

LANG = {
 "jvm": ["HikariPool-1 - Pool stats (total={n:10-10}, active={n:1-6}, idle={n:3-8}, waiting=0)", "Completed initialization check in {ms:3} ms", "GET /actuator/health 200 {ms:2}ms"],
 "go": ["GET /healthz 200 {ms:1}ms", "flushed {n:20-400} metrics to collector", "config watcher: no change (rev {n:4000-4003})"],
 "node": ["GET /healthz 200 - {ms:2} ms", "cache sweep removed {n:0-40} entries", "heartbeat worker={n:1-4} rss={n:180-240}MB"],
 "ruby": ["[{hex8}] Started GET \"/up\" for {ip}", "Sidekiq heartbeat: busy={n:0-5} enqueued={n:0-20}", "Completed 200 OK in {ms:2}ms (Views: 0.3ms | ActiveRecord: 0.0ms)"],
 "py": ["GET /health HTTP/1.1 200 {ms:2}ms", "worker {n:11-18} alive, handled {n:200-900} requests", "refreshed settings from consul (unchanged)"],
 "pg": ["checkpoint complete: wrote {n:200-900} buffers ({n:1-5}.{n:0-9}%); write=29.{n:0-9} s", "automatic vacuum of table \"app.public.sessions\": index scans: 1", "connection authorized: user=app database=app application_name=svc-{n:1-9}"],
 "redis": ["Background saving started by pid {n:2000-9000}", "DB saved on disk", "{n:100-300} changes in 60 seconds. Saving..."],
 "kafka": ["[GroupCoordinator 1]: Stabilized group indexer generation {n:40-44}", "[Log partition=events-{n:0-11}] Rolled new log segment at offset {n:100000-900000}", "[ReplicaFetcher replicaId=2] fetch ok lag=0"],
 "nginx": ["{ip} \"GET /static/{hex8}.js\" 200 {n:800-9000} rt=0.00{n:1-9}", "{ip} \"GET /api/v1/me\" 200 {n:200-900} rt=0.0{n:10-60}", "{ip} \"POST /api/v1/events\" 202 0 rt=0.0{n:10-40}"],
 "k8s": ["Successfully assigned default/{pick:web|job|cron}-{hex8} to node-{n:1-6}", "Scaled up replica set to {n:3-6}", "Pulling image already present on machine"],
}
BOOT = {
 "jvm": ["Starting Application v{v} using Java 17", "HikariPool-1 - Start completed.", "Started Application in {n:6-14}.{n:100-900} seconds"],
 "go": ["server starting version={v}", "listening addr=:8080"],
 "node": ["booting {v} (node v20)", "server listening on 3000"],
 "ruby": ["Puma starting in cluster mode... version {v}", "- Worker 0 (PID: 12) booted in 3.1s"],
 "py": ["Booting worker with pid: {n:10-30} release={v}", "Application startup complete."],
}

class Bundle:
    def __init__(s, name, seed, target, start, minutes, step=30, peak=20, daily=0.15, lv="upper", zone="Z", gap=0.002, sortby="time"):
        s.name, s.r, s.target, s.minutes, s.step = name, random.Random(seed), target, minutes, step
        s.start = dt.datetime.fromisoformat(start.replace("Z", "+00:00"))
        s.peak, s.daily, s.lv, s.zone, s.gapp, s.sortby = peak, daily, lv, zone, gap, sortby
        s.series, s.logs_, s.spans_, s.changes, s.edges, s.alerts = [], [], [], [], [], []
        s.boots, s.gaps, s.drop, s.langs = {}, {}, set(), {}
        n = int(minutes * 60 / step) + 1
        x, s.tr = 0.0, []
        h0 = s.start.hour + s.start.minute / 60
        for i in range(n):
            x = .93 * x + s.r.gauss(0, .012)
            t = i * step / 60
            s.tr.append((1 + daily * math.cos(2 * math.pi * (h0 + t / 60 - peak) / 24)) * (1 + x))
        m = sum(s.tr) / n
        s.tr = [v / m for v in s.tr]
        s.n = n
    # ----- time -----
    def ts(s, t, ms=False):
        d = s.start + dt.timedelta(minutes=t)
        if ms: return d.strftime("%Y-%m-%dT%H:%M:%S.") + "%03d" % (d.microsecond // 1000) + "Z"
        if s.zone not in ("Z", "+00:00"): d += dt.timedelta(hours=int(s.zone[:3]))
        return d.strftime("%Y-%m-%dT%H:%M:%S") + ("Z" if s.zone == "Z" else s.zone)
    # ----- metrics -----
    def s(s, c, m, base, noise=.05, fx=(), kind="g", season=0., lo=0., hi=None, sig=4, integer=False, gap=None, ar=.5, resets=()):
        s.series.append(dict(c=c, m=m, base=base, noise=noise, fx=list(fx), kind=kind, season=season, lo=lo, hi=hi, sig=sig, integer=integer, gap=s.gapp if gap is None else gap, ar=ar, resets=list(resets)))
    def poi(s, lam):
        if lam <= 0: return 0
        if lam > 40: return max(0, int(round(s.r.gauss(lam, math.sqrt(lam)))))
        L, k, p = math.exp(-lam), 0, 1.0
        while True:
            p *= s.r.random()
            if p <= L: return k
            k += 1
    def render(s):
        rows, out = [], []
        offs = {}
        for q in s.series:
            off = offs.setdefault(q["c"], s.r.choice([0, 0, 0, 1, 3, 7]) if s.step > 10 else 0)
            x = 0.0
            cum = s.r.randint(10 ** 4, 10 ** 7) if q["kind"] == "ctr" else 0
            if q["kind"] == "ctr" and q["base"] < .05: cum = s.r.randint(0, 400)
            prev = -1
            rs = q["resets"] + (s.boots.get(q["c"], []) if q["kind"] == "ctr" else [])
            for i in range(s.n):
                t = i * s.step / 60
                x = q["ar"] * x + s.r.gauss(0, q["noise"]) * math.sqrt(1 - q["ar"] ** 2)
                v = q["base"] * (s.tr[i] ** q["season"] if q["season"] else 1)
                if q["kind"] == "g" and q["noise"]: v *= 1 + x
                elif q["noise"]: v *= max(0, 1 + x * .5)
                for f in q["fx"]: v = f(t, v)
                v = max(q["lo"], v)
                if q["hi"] is not None: v = min(q["hi"], v)
                if q["kind"] == "ctr":
                    if any(prev < b <= t for b in rs): cum = 0
                    cum += s.poi(v * s.step); val = str(cum)
                elif q["kind"] == "cnt": val = str(s.poi(v * s.step))
                elif q["integer"]: val = str(int(round(v)))
                else:
                    val = "%.*g" % (q["sig"] if q["sig"] != 4 else 3 if q["noise"] >= .03 else 5, v)
                    if "e" in val: val = str(int(float(val))) if abs(v) > 1 else "%.6f" % v
                prev = t
                if q["gap"] and s.r.random() < q["gap"]: continue
                if any(a <= t < b for a, b in s.gaps.get(q["c"], [])): continue
                out.append((i, len(rows), s.ts(t + off / 60), q["c"], q["m"], val))
            rows.append(0)
        if s.sortby == "time": out.sort()
        return [o[2:] for o in out]
    def svc(s, c, rps, p50, p99, err=.0006, style="prom", lang="go", cpu=.35, mem=420, fx=None, pods=3, extra=True, short=None):
        fx = fx or {}; F = lambda k: list(fx.get(k, []))
        lat = F("lat"); rfx = F("rps"); sn = short or c.replace("-", "_")
        s.langs[c] = lang
        def errv(t, v, E=F("err"), R=rfx):
            e = err
            for f in E: e = f(t, e)
            return v * min(1, max(0, e))
        memfx = F("mem")
        for b in s.boots.get(c, []): memfx = memfx + [mul(b, .72, b + .5, ramp=.3, off=14)]
        if style == "prom":
            s.s(c, "http_requests_total", rps, .05, rfx, "ctr", 1)
            s.s(c, 'http_responses_total{code="5xx"}', rps, .03, rfx + [errv], "ctr", 1)
            s.s(c, "http_request_duration_seconds_p50", p50 / 1e3, .06, lat + F("p50"), season=.15)
            s.s(c, "http_request_duration_seconds_p99", p99 / 1e3, .11, lat + F("p99"), season=.3)
            s.s(c, "container_cpu_usage_cores", cpu * pods, .06, F("cpu"), season=.8)
            s.s(c, "container_memory_working_set_bytes", mem * 1e6, .012, memfx, ar=.9)
            if extra: s.s(c, "up", pods, 0, F("up"), integer=True, gap=0)
        elif style == "statsd":
            s.s(c, sn + ".request.count", rps, .05, rfx, "cnt", 1)
            s.s(c, sn + ".request.error", rps, .03, rfx + [errv], "cnt", 1)
            s.s(c, sn + ".request.ms.mean", p50 * 1.2, .06, lat + F("p50"), season=.15)
            s.s(c, sn + ".request.ms.p95", p50 * .4 + p99 * .6, .09, lat + F("p99"), season=.3)
            s.s(c, sn + ".host.cpu_pct", cpu * 100, .06, F("cpu"), season=.8, hi=100)
            s.s(c, sn + ".host.rss_mb", mem, .012, memfx, ar=.9)
        else:
            s.s(c, "RequestCount", rps, .05, rfx, "cnt", 1)
            s.s(c, "HTTPCode_Target_5XX_Count", rps, .03, rfx + [errv], "cnt", 1)
            s.s(c, "TargetResponseTime.p50", p50 / 1e3, .06, lat + F("p50"), season=.15)
            s.s(c, "TargetResponseTime.p99", p99 / 1e3, .11, lat + F("p99"), season=.3)
            s.s(c, "CPUUtilization", cpu * 100, .06, F("cpu"), season=.8, hi=100)
            s.s(c, "MemoryUtilization", min(78, mem / 12), .012, memfx, ar=.9, hi=100)
            if extra: s.s(c, "HealthyHostCount", pods, 0, F("up"), integer=True, gap=0)
        if extra and style == "prom":
            if lang == "go": s.s(c, "go_goroutines", 120 + rps, .05, F("rt"), season=.6, integer=True)
            if lang == "jvm":
                s.s(c, "jvm_gc_pause_seconds_max", .045, .35, F("rt"), ar=.1)
                s.s(c, "jvm_threads_live_threads", 64, .02, F("thr"), integer=True)
            if lang == "node": s.s(c, "nodejs_eventloop_lag_p99_seconds", .012, .2, F("rt"))
            if lang == "ruby": s.s(c, "puma_backlog", .3, .5, F("rt"), integer=True)
            if lang == "py": s.s(c, "gunicorn_busy_workers", 4, .15, F("rt"), season=.7, integer=True)
    def bystanders(s, names, pm=.3, style="prom"):
        """services that have nothing to do with the incident: few series, little chatter"""
        for i, c in enumerate(names):
            lang = ["go", "jvm", "node", "py", "ruby"][i % 5]
            s.svc(c, s.r.choice([3, 12, 40, 110]), s.r.choice([6, 20, 60]), s.r.choice([90, 240, 500]), lang=lang, style=style, extra=False, fx=dict(p99=[spike(s.r.uniform(0, s.minutes), s.r.choice([1, 2.2, 4]), 1)]))
            if pm: s.chat(c, [], pm, lang)
    def pg(s, c, conns=60, tps=400, cpu=30, style="prom", fx=None, disk=46):
        fx = fx or {}; F = lambda k: list(fx.get(k, []))
        s.langs[c] = "pg"
        if style == "cw":
            N = ["DatabaseConnections", "ReadLatency", "WriteLatency", "CPUUtilization", "FreeStorageSpace", "CommitThroughput"]
            s.s(c, N[0], conns, .04, F("conns"), integer=True); s.s(c, N[1], .0012, .12, F("read")); s.s(c, N[2], .0021, .12, F("write"))
            s.s(c, N[3], cpu, .07, F("cpu"), season=.6, hi=100); s.s(c, N[4], (100 - disk) * 4e9, .0003, F("free"), ar=.97); s.s(c, N[5], tps, .05, F("tps"), season=1)
        else:
            s.s(c, 'pg_stat_activity_count{state="active"}', conns * .15, .18, F("active"), season=.5, integer=True)
            s.s(c, 'pg_stat_activity_count{state="idle"}', conns * .85, .03, F("conns"), integer=True)
            s.s(c, "pg_stat_database_xact_commit_total", tps, .05, F("tps"), "ctr", 1)
            s.s(c, "pg_stat_database_deadlocks_total", .0002, 0, F("dead"), "ctr")
            s.s(c, "pg_locks_waiting", .2, .6, F("locks"), integer=True)
            s.s(c, "node_cpu_percent", cpu, .07, F("cpu"), season=.6, hi=100)
            s.s(c, "node_filesystem_used_percent", disk, .001, F("disk"), ar=.98, hi=100)
    def redis(s, c, ops=3000, memmb=2600, hit=.96, fx=None, keys=4.1e5):
        fx = fx or {}; F = lambda k: list(fx.get(k, []))
        s.langs[c] = "redis"
        s.s(c, "redis_commands_processed_total", ops, .05, F("ops"), "ctr", 1)
        s.s(c, "redis_memory_used_bytes", memmb * 1e6, .006, F("mem"), ar=.95)
        s.s(c, "redis_keyspace_hit_ratio", hit, .006, F("hit"), hi=1)
        s.s(c, "redis_connected_clients", 84, .03, F("clients"), integer=True)
        s.s(c, "redis_evicted_keys_total", .0, 0, F("evict"), "ctr")
        s.s(c, "redis_db_keys", keys, .004, F("keys"), integer=True, ar=.95)
    def kafka(s, c, group="consumer", rate=600, lag=140, fx=None):
        fx = fx or {}; F = lambda k: list(fx.get(k, []))
        s.langs[c] = "kafka"
        s.s(c, "kafka_server_messages_in_total", rate, .05, F("in"), "ctr", 1)
        s.s(c, 'kafka_consumergroup_lag{group="%s"}' % group, lag, .3, F("lag"), season=.6, integer=True)
        s.s(c, "kafka_under_replicated_partitions", 0, 0, F("urp"), integer=True)
        s.s(c, "kafka_request_handler_idle_ratio", .82, .02, F("idle"), hi=1)
    def gapc(s, c, a, b): s.gaps.setdefault(c, []).append((a, b))
    # ----- logs -----
    def fill(s, tpl):
        r = s.r
        def sub(m):
            k, a = m.group(1), m.group(2)
            if k == "hex8": return "%08x" % r.getrandbits(32)
            if k == "hex4": return "%04x" % r.getrandbits(16)
            if k == "hex16": return "%016x" % r.getrandbits(64)
            if k == "n": lo, hi = a.split("-"); return str(r.randint(int(lo), int(hi)))
            if k == "ms": return "%d" % max(1, r.lognormvariate(math.log(float(a)), .4))
            if k == "ip": return "10.%d.%d.%d" % (r.randint(2, 6), r.randint(0, 60), r.randint(2, 250))
            if k == "pick": return r.choice(a.split("|"))
            return m.group(0)
        return re.sub(r"\{(\w+)(?::([^{}]*))?\}", sub, tpl)
    def level(s, l):
        if s.lv == "lower": return {"WARN": "warn"}.get(l, l.lower())
        if s.lv == "long": return {"WARN": "WARNING"}.get(l, l)
        return l
    def log(s, t, c, l, msg, **kw):
        if 0 <= t <= s.minutes: s.logs_.append((t, c, s.level(l), s.fill(msg), {k: s.fill(v) if isinstance(v, str) else v for k, v in kw.items()}))
    def logs(s, c, l, msgs, t0=0, t1=None, pm=1.0, ramp=0, **kw):
        """Poisson stream of a message (or list of messages) between t0 and t1, pm per minute"""
        t1 = s.minutes if t1 is None else t1
        msgs = [msgs] if isinstance(msgs, str) else msgs
        t = t0
        while True:
            t += s.r.expovariate(pm)
            if t >= t1: break
            if ramp and s.r.random() > (t - t0) / ramp: continue
            s.log(t, c, l, s.r.choice(msgs), **kw)
    def chat(s, c, msgs=(), pm=1.0, lang=None, warn=(), wpm=.05, **kw):
        lang = lang or s.langs.get(c, "go")
        own = list(msgs)
        pool = own * 3 + LANG.get(lang, [])[: 3 if not own else 2]
        s.logs(c, "INFO", pool, 0, None, pm, **kw)
        if warn: s.logs(c, "WARN", list(warn), 0, None, wpm)
    # ----- changes -----
    def change(s, id, kind, t, c, title, files=None, diff=None, author=None, commit=True, boot=False, lang=None, v=None, sha=None):
        sha = sha or hashlib.sha1((s.name + id).encode()).hexdigest() if commit and kind in ("commit", "deploy") else None
        if files is None: files = re.findall(r"^\+\+\+ b/(\S+)", diff or "", re.M)
        s.changes.append((t, dict(id=id, kind=kind, timestamp=s.ts(t), component=c, author=author or s.r.choice(["aster", "birch", "cedar.k", "dahlia", "elm-ops", "fern", "ginkgo", "hazel", "iris.t", "juniper"]), title=title, files=files, diff=fixhunks(diff) + "\n" if diff else None, commit=sha)))
        if boot: s.boot(t, c, lang, v or sha[:7])
    def boot(s, t, c, lang="go", v="", pods=3):
        s.boots.setdefault(c, []).append(t)
        for p in range(pods):
            for j, m in enumerate(BOOT.get(lang, BOOT["go"])):
                s.log(t + p * .35 + j * .08 + s.r.random() * .05, c, "INFO", m.replace("{v}", v), pod="%s-%s" % (c, s.fill("{hex4}")))
    def filler(s, n, t0, t1, comps, prefix="c", kinds=("commit", "deploy"), boot=False):
        pool = FILL[:]; s.r.shuffle(pool)
        for i in range(n):
            k, title, d, files = pool[i % len(pool)]
            c = s.r.choice(comps)
            t = s.r.uniform(t0, t1)
            s.change("%s%d" % (prefix, s.r.randint(1000, 9999)), s.r.choice(kinds) if k == "any" else k, t, c, title, files if d is None else None, d, author=None)
    # ----- topology / alerts / spans -----
    def topo(s, txt):
        for line in txt.strip().splitlines():
            a, bs = line.split(">")
            for b in bs.split(): s.edges.append([a.strip(), b])
    def alert(s, t, name, sev, c, summary, desc="", label="service", end=None, **lab):
        L = dict(alertname=name, severity=sev); L[label] = c; L.update(lab)
        s.alerts.append((t, dict(status="firing" if end is None else "resolved", labels=L, annotations=dict(summary=summary, description=desc or summary), startsAt=s.ts(t), endsAt=s.ts(end) if end is not None else "0001-01-01T00:00:00Z", generatorURL="http://prometheus.internal/graph?g0.expr=" + re.sub(r"\W+", "_", name.lower()), fingerprint=hashlib.md5(json.dumps(L, sort_keys=True).encode()).hexdigest()[:16])))
    def trace(s, tree, pm, t0=0, t1=None):
        """tree: list of dict(c,n,p,ms, fx=[...], err=f(t)->prob, rep=f(t)->int)"""
        t = t0; t1 = s.minutes if t1 is None else t1
        while True:
            t += s.r.expovariate(pm)
            if t >= t1: return
            tid = "%016x" % s.r.getrandbits(64); recs = []
            def run(i, parent, at):
                q = tree[i]; sid = "%08x" % s.r.getrandbits(32)
                own = q["ms"] * s.r.lognormvariate(0, .25)
                for f in q.get("fx", []): own = f(t, own)
                bad = s.r.random() < (q["err"](t) if "err" in q else 0.0005)
                rec = [sid, parent, q["c"], q["n"], at, 0, bad]; recs.append(rec)
                cur = at + own * .4
                for j, ch in enumerate(tree):
                    if ch["p"] == i:
                        for _ in range(ch["rep"](t) if "rep" in ch else 1):
                            d, b = run(j, sid, cur); cur += d
                            if b and not ch.get("soft"): rec[6] = True
                rec[5] = cur - at + own * .6
                return rec[5], rec[6]
            run(0, None, 0)
            for sid, p, c, n, at, d, b in recs:
                s.spans_.append((t + at / 6e4, dict(trace_id=tid, span_id=sid, parent_id=p, component=c, name=n, start=s.ts(t + at / 6e4, True), duration_ms=round(d, 1), status="error" if b else "ok")))
    # ----- write -----
    def finish(s, opened, family, cause, component, change=None, decoys=(), onset=None, healthy=False, why="", delayed=False, id=None, onset_from=None, onset_to=None, also=()):
        d = os.path.join(ROOT, "bundles", s.name); os.makedirs(d, exist_ok=True)
        for f in os.listdir(d): os.remove(os.path.join(d, f))
        files = {}
        inc = dict(id=id or "INC-%d" % s.r.randint(1000, 9999), target=s.target, opened_at=s.ts(opened), alerts=[a for _, a in sorted(s.alerts, key=lambda x: x[0])], window=dict(start=s.ts(0), end=s.ts(s.minutes)))
        files["incident.json"] = json.dumps(inc, indent=1)
        if "metrics" not in s.drop:
            b = io.StringIO(); w = csv.writer(b, lineterminator="\n"); w.writerow(["timestamp", "component", "metric", "value"]); w.writerows(s.render()); files["metrics.csv"] = b.getvalue()
        if "logs" not in s.drop and s.logs_:
            files["logs.ndjson"] = "".join(json.dumps(dict(timestamp=s.ts(t, True), component=c, level=l, message=m, **kw)) + "\n" for t, c, l, m, kw in sorted(s.logs_, key=lambda x: x[0]))
        if s.spans_: files["spans.ndjson"] = "".join(json.dumps(q) + "\n" for _, q in sorted(s.spans_, key=lambda x: x[0]))
        s.changes.sort(key=lambda x: x[0])
        files["changes.ndjson"] = "".join(json.dumps(c) + "\n" for _, c in s.changes)
        if "topology" not in s.drop and s.edges: files["topology.json"] = json.dumps(dict(edges=s.edges), indent=0)
        for f, txt in files.items(): open(os.path.join(d, f), "w").write(txt)
        zp = os.path.join(ROOT, "bundles", s.name + ".zip")
        with zipfile.ZipFile(zp, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
            for f in sorted(files): z.writestr(zipfile.ZipInfo(f, (2025, 1, 1, 0, 0, 0)), files[f], zipfile.ZIP_DEFLATED, 9)
        ids = [c["id"] for _, c in s.changes]
        assert len(ids) == len(set(ids)), ids
        for x in [change] * (change is not None) + list(decoys) + list(also): assert x in ids, x
        ep = os.path.join(ROOT, "expected.json")
        E = json.load(open(ep)) if os.path.exists(ep) else {}
        E[s.name] = dict(family=family, cause=cause, component=component, change=change, decoys=list(decoys), onset=s.ts(onset) if onset is not None else None, healthy=healthy, why=why)
        if onset is not None: E[s.name]["onset_range"] = [s.ts(onset - 3 if onset_from is None else onset_from), s.ts(onset + 4 if onset_to is None else onset_to)]
        if delayed: E[s.name]["delayed"] = True
        if also: E[s.name]["change_also"] = list(also)
        json.dump(E, open(ep, "w"), indent=1, sort_keys=True)
        nl = len(s.logs_); print("%-28s %6.1f KB series=%d rows=%d logs=%d spans=%d changes=%d comps=%d" % (s.name, os.path.getsize(zp) / 1024, len(s.series), files.get("metrics.csv", "").count("\n"), nl, len(s.spans_), len(ids), len({q["c"] for q in s.series} | {c for _, c, *_ in s.logs_})))

def fixhunks(diff):
    """make the @@ counts true and blank context lines proper"""
    out, hunk = [], None
    def close():
        if hunk is None: return
        o = sum(l[0] in " -" for l in hunk[2]); n = sum(l[0] in " +" for l in hunk[2])
        a = int(hunk[0]); a0 = a if o else max(0, a if a == 0 else a); b = int(hunk[1])
        if a0 == 0 and o: a0 = 1
        out.append("@@ -%d,%d +%d,%d @@%s" % (a0, o, max(b, 1) if n else b, n, hunk[3])); out.extend(hunk[2])
    for l in diff.strip("\n").split("\n"):
        m = re.match(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)", l)
        if m: close(); hunk = (m.group(1), m.group(2), [], m.group(3))
        elif l.startswith("diff --git"): close(); hunk = None; out.append(l)
        elif hunk is None: out.append(l)
        else: hunk[2].append(l if l else " ")
    close()
    return "\n".join(out)

def D(path, body):
    return "diff --git a/%s b/%s\n--- a/%s\n+++ b/%s\n%s\n" % (path, path, path, path, body.strip("\n"))

FILL = [
 ("any", "docs: update on-call runbook links", D("docs/runbook.md", "@@ -12,3 +12,3 @@\n ## Escalation\n-See the wiki page for the rotation.\n+See the rotation in the pager tool (channel #oncall).\n ## Dashboards"), None),
 ("any", "chore: bump prettier 3.2.4 -> 3.2.5 (dev)", D("package.json", "@@ -41,3 +41,3 @@\n     \"jest\": \"29.7.0\",\n-    \"prettier\": \"3.2.4\",\n+    \"prettier\": \"3.2.5\",\n     \"ts-node\": \"10.9.2\""), None),
 ("any", "i18n: new Portuguese strings", D("locales/pt.json", "@@ -88,2 +88,4 @@\n   \"cancel\": \"Cancelar\",\n+  \"retry\": \"Tentar novamente\",\n+  \"later\": \"Mais tarde\",\n   \"confirm\": \"Confirmar\""), None),
 ("any", "test: cover empty page case", D("tests/test_paging.py", "@@ -30,0 +31,6 @@\n+def test_empty_page(client):\n+    r = client.get('/items?page=9999')\n+    assert r.status_code == 200\n+    assert r.json()['items'] == []\n+    assert r.json()['next'] is None\n+"), None),
 ("config", "terraform: cost-centre tags", D("infra/tags.tf", "@@ -4,4 +4,5 @@\n locals {\n   tags = {\n     owner = \"platform\"\n+    cost_centre = \"4410\"\n   }\n }"), None),
 ("any", "log: lower noise of cache sweep message", D("src/cache/sweep.ts", "@@ -19,3 +19,3 @@\n   const removed = store.sweep(now)\n-  log.info(`cache sweep removed ${removed} entries`)\n+  log.debug(`cache sweep removed ${removed} entries`)\n }"), None),
 ("any", "refactor: rename helper", D("internal/util/strings.go", "@@ -8,5 +8,5 @@\n-// Trunc cuts s to n bytes.\n-func Trunc(s string, n int) string {\n+// Truncate cuts s to n bytes.\n+func Truncate(s string, n int) string {\n \tif len(s) <= n {\n \t\treturn s\n \t}"), None),
 ("any", "admin: new column in back-office table", D("app/views/admin/orders/_row.html.erb", "@@ -5,3 +5,4 @@\n   <td><%= order.number %></td>\n   <td><%= l order.created_at %></td>\n+  <td><%= order.channel %></td>\n   <td><%= order.state %></td>"), None),
 ("any", "ci: cache gradle wrapper", D(".ci/pipeline.yml", "@@ -14,2 +14,5 @@\n steps:\n+  - cache:\n+      key: gradle-wrapper\n+      paths: [~/.gradle/wrapper]\n   - run: ./gradlew check"), None),
 ("config", "grafana: p95 panel next to p99", D("dashboards/service.json", "@@ -210,3 +210,4 @@\n       \"targets\": [\n         {\"expr\": \"service:latency:p99\"},\n+        {\"expr\": \"service:latency:p95\"}\n       ],"), None),
 ("any", "chore: remove dead feature code", None, ["src/legacy/BannerController.java", "src/legacy/BannerDao.java"]),
 ("any", "build: reproducible image labels", D("Dockerfile", "@@ -22,2 +22,4 @@\n USER 1000\n+ARG GIT_SHA\n+LABEL org.opencontainers.image.revision=$GIT_SHA\n ENTRYPOINT [\"/app/run\"]"), None),
 ("any", "metrics: add build_info gauge", D("internal/metrics/build.go", "@@ -1,0 +2,8 @@\n+var buildInfo = prometheus.NewGaugeVec(prometheus.GaugeOpts{\n+\tName: \"build_info\",\n+}, []string{\"revision\"})\n+\n+func init() {\n+\tprometheus.MustRegister(buildInfo)\n+\tbuildInfo.WithLabelValues(revision).Set(1)\n+}"), None),
 ("any", "weekly release", None, []),
 ("any", "fix typo in e-mail footer", D("templates/mail/footer.html", "@@ -2,3 +2,3 @@\n <p class=\"small\">\n-  You recieve this mail because you have an account.\n+  You receive this mail because you have an account.\n </p>"), None),
 ("config", "raise log retention to 21 days", D("infra/logging.tf", "@@ -9,3 +9,3 @@\n resource \"log_group\" \"app\" {\n   name = \"app\"\n-  retention_in_days = 14\n+  retention_in_days = 21\n }"), None),
 ("any", "style: eslint --fix", None, ["src/routes/user.ts", "src/routes/team.ts"]),
 ("any", "a11y: labels for icon buttons", D("web/components/IconButton.tsx", "@@ -11,3 +11,3 @@\n-  return <button onClick={onClick}>{icon}</button>\n+  return <button aria-label={label} onClick={onClick}>{icon}</button>\n }"), None),
 ("flag", "flag dark-mode-beta 20% -> 40%", None, []),
 ("any", "codeowners: new team name", None, ["CODEOWNERS"]),
]
