from common import *
b = B("transcoder-temp-files", 430, "2024-06-11T06:00:00Z", 6, 60, "video-upload")
D=57.0; F=272.0
gr=b.ramp(D+2,F); f=b.stp(F,1)
b.edges=[["upload-api","ingest-queue"],["transcode-worker","ingest-queue"],["transcode-worker","media-bucket"],["upload-api","media-bucket"],["thumbnailer","media-bucket"],["player-api","media-bucket"]]
b.svc2("upload-api","otel",rps=16,p50=90,p99=900,traffic=b.day(.15,250)); b.svc("player-api","prom",rps=190,p50=9,p99=70,traffic=b.day(.15,250)); b.svc2("thumbnailer","otel",rps=5,p50=200,p99=1200)
for i in (1,2,3): b.g(f"transcode-worker",f'node_filesystem_used_percent{{mount="/scratch",host="tw-{i}"}}',24,.01,add=(75+i*.3)*gr,hi=100)
b.g("transcode-worker",'node_filesystem_used_percent{mount="/",host="tw-1"}',41,.002); b.g("transcode-worker",'node_filesystem_files{mount="/scratch"}',2100,.02,add=61000*gr,dec=0)
b.g("transcode-worker","jobs_done_per_min",22,.12,1-.93*f); b.c("transcode-worker","jobs_failed_total",.01,add=.4*f,start=71); b.g("transcode-worker","cpu_percent",71,.08,1-.8*f,hi=99); b.g("transcode-worker","rss_mb",1900,.03)
b.g("ingest-queue","depth",11,.3,add=1900*b.ramp(F,360),dec=0); b.g("ingest-queue","oldest_age_s",20,.3,add=5200*b.ramp(F,360)); b.g("media-bucket","put_per_min",64,.1,1-.6*f); b.g("media-bucket","get_per_min",11000,.06,dec=0); b.k("media-bucket","errors_5xx",0)
b.g("archive-job","bytes_moved_mb_s",1,.3,add=120*b.pulse(190,222,1)); b.g("archive-job","cpu_percent",5,.2,add=40*b.pulse(190,222,1))
for c,s,n in (("upload-api","go",380),("player-api","nginx",420),("thumbnailer","worker",180),("transcode-worker","worker",420),("archive-job","batch",80)): b.chat(c,s,n)
b.burst("transcode-worker","INFO","segment pass kept /scratch/seg-{hex}/part{d}.ts ({n} MB)",D+1,F,.9); b.log("transcode-worker",F-40,"WARN","/scratch above 85%")
b.burst("transcode-worker","ERROR",["ffmpeg exited 1: av_interleaved_write_frame(): No space left on device (/scratch/seg-{hex})","OSError: [Errno 28] No space left on device: '/scratch/seg-{hex}' in segmenter.py line 41"],F,360,5); b.burst("upload-api","warn","upload {uuid} still processing after 20 min",F+20,360,1.5)
p="worker/segmenter.py"
b.change("tw-58","deploy",D,"transcode-worker","p.eklund","transcode-worker 0.58: two-pass segments",[p],diff(p,"""
@@ -29,16 +29,21 @@ class Segmenter:
     def run(self, source, profile):
-        with tempfile.TemporaryDirectory(dir="/scratch") as work:
-            parts = self._encode(source, profile, work)
-            return self._upload(parts)
+        work = Path(tempfile.mkdtemp(prefix="seg-", dir="/scratch"))
+        first = self._encode(source, profile.draft(), work / "p1")
+        stats = self._analyse(first)
+        parts = self._encode(source, profile.tuned(stats), work / "p2")
+        for part in first:
+            log.info("segment pass kept %s (%d MB)", part, part.stat().st_size >> 20)
+        return self._upload(parts)
"""),commit=b.sha())
b.change("up-91","deploy",F-7,"upload-api","j.okafor","upload-api 2.4: accept webm",["internal/upload/types.go"],diff("internal/upload/types.go","@@ -9,5 +9,6 @@ var accepted = map[string]bool{\n 	\"video/mp4\":       true,\n 	\"video/quicktime\": true,\n+	\"video/webm\":      true,\n }\n"),commit=b.sha())
b.change("tw-59","deploy",F-64,"transcode-worker","p.eklund","transcode-worker 0.59: log the profile name",["worker/main.py"],diff("worker/main.py","@@ -22,5 +22,5 @@ def handle(job):\n     profile = profiles[job.profile]\n-    log.info('job %s', job.id)\n+    log.info('job %s profile=%s', job.id, profile.name)\n     Segmenter(store).run(job.source, profile)\n"),commit=b.sha()); b.inn("pl-40","go-metrics",140,"player-api","j.okafor"); b.inn("cfg-7","helm-label",F-28,"thumbnailer","platform-bot",kind="config"); b.inn("cfg-8","helm-hpa",F+22,"transcode-worker","oncall",kind="config")
b.alert("TranscodeFailures","transcode-worker",F+5,"critical","Transcodes fail"); b.alert("UploadsStuck","upload-api",F+22,"warning","Uploads take more than 20 min"); b.alert("ScratchFilling","transcode-worker",F-38,"warning","/scratch above 85%")
b.expect("temp files fill the disk",["code"],["transcode-worker"],"tw-58",["up-91","tw-59","cfg-7"],D+4,(D,F+3),why="/scratch and its file count begin to climb at tw-58 (flat before), 'segment pass kept /scratch/seg-…' is its log line, the TemporaryDirectory was replaced by mkdtemp without removal; the hard failure (disk full) is three and a half hours later.",delayed=True)
b.write()
