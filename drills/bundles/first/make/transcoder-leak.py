from common import *
B = Bundle("transcoder-leak", 109, "upload", "2025-07-22T05:00:00Z", 350, 60, peak=19, zone="+02:00")
C = 42.0; K = [232, 281, 327]; T = 214.0
B.change("vid-768", "commit", -14.0, "transcoder", "progress events while a job runs", diff=D("internal/job/progress.go", """@@ -12,14 +12,24 @@ type Reporter struct {
 	bus Publisher
 }
 
-func (r *Reporter) Done(j *Job) {
-	r.bus.Publish(Event{Job: j.ID, Percent: 100})
+func (r *Reporter) Watch(j *Job) {
+	tick := time.NewTicker(2 * time.Second)
+	go func() {
+		for range tick.C {
+			r.bus.Publish(Event{Job: j.ID, Percent: j.Percent(), Thumb: j.LastFrame()})
+		}
+	}()
 }""") + D("internal/job/run.go", """@@ -40,6 +40,7 @@ func (w *Worker) run(ctx context.Context, j *Job) error {
 	if err := w.fetch(ctx, j); err != nil {
 		return err
 	}
+	w.reporter.Watch(j)
 	for _, p := range j.Profiles {"""), author="fern", sha="b7d1f0a94e5c2d3817f6a0be94c1d27e5530aa18")
B.change("vid-771", "deploy", C, "transcoder", "transcoder 1.66 (b7d1f0a)", files=[], author="release-bot", sha="b7d1f0a94e5c2d3817f6a0be94c1d27e5530aa18", boot=True, lang="go", v="1.66")
B.change("vid-774", "config", 121, "transcoder", "transcoder: add 1440p profile for partner channels", diff=D("profiles.yaml", "@@ -14,2 +14,6 @@\n - name: 1080p\n   bitrate: 5200k\n+- name: 1440p\n+  bitrate: 9000k\n+  only: [partner]\n"))
B.change("vid-779", "deploy", 205, "job-scheduler", "job-scheduler 3.12: fair queue per channel", diff=D("scheduler/queue.go", "@@ -51,5 +51,8 @@ func (q *Queue) Next() *Job {\n-\treturn q.heap.Pop()\n+\tch := q.ring.Next()\n+\tif j := q.byChannel[ch].Pop(); j != nil {\n+\t\treturn j\n+\t}\n+\treturn q.heap.Pop()\n }"), boot=True, lang="go")
B.change("vid-780", "deploy", 226, "upload-api", "upload-api 902: resumable uploads for Android", diff=D("src/routes/upload.ts", "@@ -70,3 +70,5 @@\n   const offset = Number(req.headers['upload-offset'] ?? 0)\n+  const platform = req.headers['x-platform'] ?? 'web'\n+  metrics.increment('upload.resume', { platform })\n   return resume(id, offset)"), boot=True, lang="node")
B.filler(5, -100, 200, ["upload-api", "thumbs", "player-api"], "vid-6")
for k in K: B.boot(k, "transcoder", "go", "1.66", pods=2)
B.svc("upload-api", 22, 300, 1500, lang="node", fx=dict(p99=[mul(T + 8, 4, ramp=25)], err=[add(T + 20, .04, ramp=30)])); B.svc("player-api", 310, 12, 70, lang="go"); B.svc("thumbs", 14, 60, 240, lang="py")
B.s("transcoder", "container_memory_working_set_bytes", 1.05e9, .01, [leak(C, 1.62e7, resets=[K[0]]), lambda t, v: v if t < K[0] else 1.15e9 + 5.8e7 * (t - max([k for k in K if k <= t])) if t >= K[0] else v], sig=5); B.s("transcoder", "container_memory_limit_bytes", 4294967296, 0, integer=True, gap=0)
B.s("transcoder", "go_goroutines", 240, .03, [lambda t, v: v if t < C else v + 21.5 * (t - C) if t < K[0] else v + 77 * (t - max(k for k in K if k <= t))], integer=True); B.s("transcoder", "container_cpu_usage_cores", 9.5, .05, [leak(C, .011, resets=K)], season=.6); B.s("transcoder", "kube_pod_container_restarts_total", 0, 0, [lambda t, v: 2 * sum(k <= t for k in K)], integer=True)
B.s("transcoder", "go_gc_duration_seconds_p99", .0012, .15, [leak(C, .00004, resets=K)]); B.s("transcoder", "transcode_jobs_completed_total", .55, .05, [mul(T, .75, ramp=15), mul(K[0], .6)], "ctr", .8); B.s("transcoder", "bus_publish_total", 1.1, .1, [leak(C, .27, resets=K)], "ctr")
B.s("job-scheduler", "scheduler_queue_depth", 12, .3, [add(T, 260, ramp=70)], integer=True); B.s("job-scheduler", "scheduler_oldest_job_seconds", 22, .3, [add(T, 1500, ramp=80)]); B.s("job-scheduler", "process_resident_memory_bytes", 1.6e8, .01)
B.kafka("media-bus", "thumbs", 90, 30, fx={"in": [leak(C, .5, resets=K)]}); B.pg("media-db", 40, 160, 18, fx=dict(cpu=[mul(25, 2.4, 52, 2, 2)]))
B.gapc("thumbs", 140, 151); B.gapc("transcoder", 171, 175)
B.topo("upload-api > job-scheduler media-db\njob-scheduler > transcoder\ntranscoder > media-bus object-store\nthumbs > media-bus\nplayer-api > media-db")
B.chat("transcoder", ["job j_{hex8} profile={pick:480p|720p|1080p} done in {n:20-140}s", "fetch source {n:10-900}MB ok"], 2.6, "go"); B.chat("upload-api", ["PATCH /upload/{hex8} 204 {ms:300} ms"], 1.6, "node"); B.chat("player-api", [], .8, "go"); B.chat("job-scheduler", ["assigned j_{hex8} to transcoder"], 1, "go"); B.chat("thumbs", [], .5, "py"); B.chat("media-db", [], .3, "pg")
for k in K: B.log(k - .1, "k8s", "WARN", "OOMKilled container transcoder in pod transcoder-{hex4} (limit 4Gi)"); B.log(k, "k8s", "WARN", "OOMKilled container transcoder in pod transcoder-{hex4} (limit 4Gi)"); B.logs("job-scheduler", "WARN", "job j_{hex8} lost: worker gone, requeued", k, k + 2, pm=7)
B.logs("transcoder", "WARN", "progress publish slow: {n:300-2900}ms job=j_{hex8} (job finished {n:20-170}m ago)", 150, pm=.5); B.logs("upload-api", "ERROR", "processing not started after 900s for upload {hex8}", T + 26, pm=.8)
B.alert(243, "QueueOldestJob", "warning", "job-scheduler", "oldest job waits more than 10 min", label="component"); B.alert(262, "UploadProcessingSlow", "critical", "upload-api", "upload to playable above SLO", label="component")
B.finish(264, "code/leak", ["code"], ["transcoder"], "vid-771", ["vid-779", "vid-780"], C, why="Goroutines and memory of the transcoder climb linearly from vid-771 (a ticker goroutine never stopped) and end in OOM kills; the onset of user pain is hours later.", delayed=True, onset_to=235, also=["vid-768"])
