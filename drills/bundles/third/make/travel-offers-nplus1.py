from common import *
b = B("travel-offers-nplus1", 422, "2024-07-09T09:00:00Z", 2.5, 30, "travel-search")
D=72.0; T=73.2
f=b.stp(T,2)
b.edges=[["search-api","offer-service"],["search-api","hotel-service"],["search-api","flight-service"],["search-api","review-service"],["offer-service","offer-mysql"],["review-service","review-store"],["hotel-service","hotel-cache"]]
b.svc2("search-api","otel",rps=85,p50=120,p99=780,slow=1+2.6*f,slow50=1+1.7*f,fail=.02*f); b.svc("offer-service","prom",rps=84,p50=24,p99=150,slow=1+9*f,slow50=1+8*f,cpum=1+.5*f,fail=.02*f)
b.svc2("hotel-service","grpc",rps=84,p50=18,p99=120); b.svc2("flight-service","grpc",rps=80,p50=60,p99=420); b.svc("review-service","dd",rps=80,p50=8,p99=60)
b.g("offer-mysql","Queries",170,.05,1+21*f,dec=0); b.g("offer-mysql","Threads_running",4,.15,1+4.5*f); b.g("offer-mysql","cpu_percent",14,.08,1+4*f,hi=98); b.g("offer-mysql","query_time_p95_ms",1.9,.1,1+1.2*f); b.c("offer-mysql","Slow_queries",.01); b.g("offer-mysql","Innodb_buffer_pool_hit",.997,.0004)
b.g("offer-service","sql_queries_per_request",2.0,.02,1+20*f); b.g("hotel-cache","hit_ratio",.93,.01)
b.host_noise("etl-vm")
for c,s,n in (("search-api","node",380),("offer-service","go",300),("hotel-service","go",160),("flight-service","go",160),("review-service","rails",180),("offer-mysql","mysql",120)): b.chat(c,s,n)
b.burst("offer-service","warn",["ListOffers took 2{n} us sql=43 statements hotel={id}","slow handler ListOffers: 41 x SELECT id, label, rank FROM offer_badges WHERE offer_id = ?"],T,150,3); b.burst("search-api","warn","offer-service exceeded 200 ms budget, partial result for {hex}",T+.5,150,5)
b.burst("offer-mysql","Note","# Query_time: 0.00{d}  Rows_examined: 3  SELECT id, label, rank FROM offer_badges WHERE offer_id={id};",T,150,3)
p="internal/offers/list.go"; sh=b.sha()
d=diff(p,"""
@@ -52,6 +52,17 @@ func (s *Service) List(ctx context.Context, hotelID int64) ([]Offer, error) {
 	offers, err := s.repo.ByHotel(ctx, hotelID)
 	if err != nil {
 		return nil, err
 	}
+	for i := range offers {
+		badges, err := s.repo.BadgesFor(ctx, offers[i].ID)
+		if err != nil {
+			return nil, fmt.Errorf("badges of offer %d: %w", offers[i].ID, err)
+		}
+		offers[i].Badges = badges
+	}
 	sort.Slice(offers, func(a, b int) bool { return offers[a].Price < offers[b].Price })
 	return offers, nil
 }
+
+const selectBadges = `SELECT id, label, rank FROM offer_badges WHERE offer_id = ?`
""")
b.change("c-9f1","commit",D-44,"offer-service","t.riis","Offers: show badges (free breakfast, late check-out)",[p,"internal/offers/repo.go"],d,commit=sh); b.change("rel-551","deploy",D,"offer-service","deploy-bot","offer-service 2024.07.09-1",[],None,commit=sh)
b.inn("rel-550","ts-type",18,"search-api","p.lang"); b.change("rel-552","deploy",T+.1,"hotel-service","deploy-bot","hotel-service 2024.07.09-2",["internal/rooms/sort.go"],diff("internal/rooms/sort.go","@@ -8,5 +8,5 @@ func byArea(r []Room) {\n-	sort.Slice(r, func(a, b int) bool { return r[a].Area > r[b].Area })\n+	sort.SliceStable(r, func(a, b int) bool { return r[a].Area > r[b].Area })\n }\n"),commit=b.sha())
b.inn("c-9f2","go-retry",D-30,"flight-service","t.riis",kind="commit"); b.inn("rel-553","rb-scope",T+22,"review-service","deploy-bot"); b.inn("cfg-31","tf-alarm",D-8,"offer-mysql","platform-bot",kind="config")
b.alert("SearchLatency","search-api",T+4.5,"critical","p95 of search-api above 1 s"); b.alert("MysqlCpu","offer-mysql",T+7,"warning","cpu of offer-mysql above 60%")
b.traces(60,("search-api","GET /search",25,[("hotel-service","Rooms",14,[]),("offer-service","ListOffers",10,[("offer-mysql","SELECT offers",3,[]),("offer-mysql","SELECT offer_badges",3,[],np.where(b.m<T,0.01,41))]),("review-service","top",7,[])]))
b.expect("N+1 queries",["code"],["offer-service"],"rel-551",["rel-552","cfg-31","c-9f2"],T,(D,T+3),why="From the deploy on each request runs 41 selects of offer_badges, which the commit's loop adds; traffic is flat.",change_also=["c-9f1"])
b.write()
