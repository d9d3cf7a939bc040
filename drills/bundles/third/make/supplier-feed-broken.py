from common import *
b = B("supplier-feed-broken", 406, "2024-10-22T02:00:00Z", 4, 60, "catalog-batch")
T=95.0
f=b.stp(T,2)
b.edges=[["feed-fetcher","feed-bucket"],["feed-parser","feed-bucket"],["feed-parser","staging-db"],["price-merger","staging-db"],["price-merger","catalog-db"],["catalog-publisher","catalog-db"],["catalog-publisher","search-index"]]
b.g("feed-fetcher","files_fetched_per_min",4,.2); b.g("feed-fetcher",'feed_bytes{supplier="northfield"}',8.4e6,.04,1-.46*b.stp(T-1),dec=-3); b.g("feed-fetcher",'feed_bytes{supplier="ostara"}',5.1e6,.04,dec=-3); b.g("feed-fetcher",'feed_bytes{supplier="brickline"}',2.2e6,.05,dec=-3)
for s,r in (("northfield",2100),("ostara",1300),("brickline",560)):
    k=f if s=="northfield" else 0*f
    b.g("feed-parser",f'rows_parsed_per_min{{supplier="{s}"}}',r,.06,1-.62*k,dec=0); b.put("feed-parser",f'rows_rejected_per_min{{supplier="{s}"}}',b.rng.poisson(np.clip(2+1250*k*(1+b.ar(.1)),0,None)),None,0)
b.g("feed-parser","lag_seconds",25,.2,add=60*f); b.g("feed-parser","process_resident_memory_mib",420,.02)
b.g("price-merger","offers_updated_per_min",3600,.07,1-.5*b.stp(T+3,3),dec=0); b.g("price-merger","run_seconds",48,.1); b.put("price-merger","offers_without_price",b.rng.poisson(6+840*b.ramp(T+4,T+110)),None,0)
b.g("catalog-publisher","documents_per_min",3500,.07,1-.48*b.stp(T+6,4),dec=0); b.put("catalog-publisher","publish_skipped_per_min",b.rng.poisson(3+420*b.stp(T+6,4)),None,0)
b.g("search-index","indexing_rate",58,.07,1-.48*b.stp(T+7,4)); b.g("search-index","query_latency_p95_ms",42,.1); b.k("search-index","cluster_status_red",0)
b.pg("staging-db",tps=60); b.pg("catalog-db",tps=85,cpu=30)
b.g("catalog-db","backup_io_mb_s",.5,.3,add=90*b.pulse(60,84,1))
for c,s,n in (("feed-fetcher","batch",220),("feed-parser","batch",320),("price-merger","spring",260),("catalog-publisher","worker",260),("search-index","elastic",180)): b.chat(c,s,n)
b.log("feed-fetcher",T-1,"INFO","fetched northfield/offers_20241022_0334.csv bytes=4512204 etag={hex}")
b.burst("feed-parser","WARN",["northfield/offers: row {id} rejected: column 'price' is empty","northfield/offers: row {id} rejected: expected 14 columns, got 9","northfield/offers: row {id} rejected: cannot parse 'N/A' as decimal (column price)"],T,240,6)
b.burst("price-merger","WARN","no fresh offer for sku {id}, last supplier=northfield",T+5,240,2); b.burst("catalog-publisher","WARN","sku {id} skipped: no valid price",T+7,240,2)
b.change("e-11","deploy",T-8,"feed-parser","u.brandt","feed-parser 2.8: support gzip for brickline",["parser/open.py"],diff("parser/open.py","@@ -12,5 +12,7 @@ def open_feed(supplier, path):\n     if path.endswith('.zip'):\n         return unzip_first(path)\n+    if supplier == 'brickline' and path.endswith('.gz'):\n+        return gzip.open(path, 'rt', encoding='utf-8')\n     return open(path, encoding='utf-8')\n"),commit=b.sha())
b.inn("e-12","py-log",28,"feed-fetcher","u.brandt"); b.inn("e-14","java-log",T+3,"price-merger","i.salo"); b.inn("e-15","tf-tags",50,"feed-bucket","platform-bot",kind="config")
b.alert("OffersWithoutPrice","price-merger",T+22,"warning","Offers without a price above 150"); b.alert("PublishSkipped","catalog-publisher",T+18,"warning","catalog-publisher skips > 300 per min"); b.alert("FeedRejects","feed-parser",T+12,"warning","Rejected rows above 20%",supplier="northfield")
b.expect("bad supplier file","data",["feed-parser","feed-fetcher"],None,["e-11","e-14"],T,(T-2,T+4),why="Only supplier northfield's rows are rejected, right after its file arrived half as large with 9 columns and N/A prices; others are fine, and the parser change touches only brickline.")
b.exp["cause"]=["data"]; b.write()
