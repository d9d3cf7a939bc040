from common import *
b = B("healthy-hourly-digest", 412, "2024-12-04T06:00:00Z", 6, 60, "mail-pipeline")
pk=sum(b.pulse(60*h+2,60*h+9+(h%3),1.5)*(.9+.06*(h%4)) for h in range(0,6))

b.svc2("app-api","otel",rps=44,p50=25,p99=210,traffic=b.day(.1,200)); b.svc("template-store","prom",rps=12,p50=5,p99=40,traffic=1+2*pk)
b.g("mail-queue","messages_ready",30,.3,add=4100*pk,dec=0); b.g("mail-queue","publish_rate",9,.1,add=160*sum(b.pulse(60*h+2,60*h+4,.6) for h in range(6))); b.g("mail-queue","oldest_message_age_s",4,.3,add=230*pk); b.k("mail-queue","dead_letters",3,blips=0)
b.g("render-worker","cpu_percent",16,.1,add=55*pk,hi=98); b.g("render-worker","mails_per_min",540,.08,1+7*pk,dec=0); b.put("render-worker","failures",b.rng.poisson(.05,b.n),None,0); b.g("smtp-relay","accepted_per_min",540,.08,1+7*pk,dec=0); b.g("smtp-relay","deferred_ratio",.012,.2); b.g("digest-scheduler","jobs_due",2,.4,add=40*pk)
b.host_noise("metabase-vm")
for c,s,n in (("app-api","rails",420),("render-worker","sidekiq",480),("smtp-relay","worker",260),("template-store","go",120)): b.chat(c,s,n)
for h in range(6): b.log("digest-scheduler",60*h+2,"INFO",f"hourly digest: 4{h}1{h} recipients enqueued"); b.log("render-worker",60*h+13,"INFO","digest done, queue empty, failures=0")
b.inn("mp-1","rb-view",171,"render-worker","n.fall"); b.inn("mp-2","rb-scope",238,"app-api","n.fall"); b.inn("mp-3","tf-tags",110,"template-store","platform-bot",kind="config"); b.inn("mp-4","ci",300,"app-api","n.fall",kind="commit")
b.alert("MailQueueDepth","mail-queue",185,"warning","mail-queue deeper than 4000 messages","messages_ready > 4000 for 2 minutes",end=192.5,label="queue")
b.expect("usual hourly peak",[],[],None,[],None,None,True,"The queue rises every full hour by the digest and drains in ten minutes, this hour like all others; no failures, the threshold is just too low.")
b.write()
