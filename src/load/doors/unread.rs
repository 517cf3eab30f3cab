//! Kinds that open doors in ways that netpal does not read (DO106). An input that holds one is
//! never answered "no door".

/// Groups and kinds; a kind of `*` is every kind of the group.
const KINDS: [(&str, &str); 27] = [
    ("traefik.io", "IngressRoute"),
    ("traefik.io", "IngressRouteTCP"),
    ("traefik.io", "IngressRouteUDP"),
    ("traefik.containo.us", "IngressRoute"),
    ("traefik.containo.us", "IngressRouteTCP"),
    ("traefik.containo.us", "IngressRouteUDP"),
    ("projectcontour.io", "HTTPProxy"),
    ("k8s.nginx.org", "VirtualServer"),
    ("k8s.nginx.org", "TransportServer"),
    ("configuration.konghq.com", "TCPIngress"),
    ("configuration.konghq.com", "UDPIngress"),
    ("getambassador.io", "Mapping"),
    ("getambassador.io", "TCPMapping"),
    ("gateway.solo.io", "VirtualService"),
    ("gateway.solo.io", "TcpGateway"),
    ("apisix.apache.org", "ApisixRoute"),
    ("serving.knative.dev", "Service"),
    ("serving.knative.dev", "DomainMapping"),
    ("networking.internal.knative.dev", "Ingress"),
    ("elbv2.k8s.aws", "TargetGroupBinding"),
    ("networking.gke.io", "MultiClusterIngress"),
    ("multicluster.x-k8s.io", "ServiceExport"),
    ("net.gke.io", "ServiceExport"),
    ("gateway.networking.k8s.io", "ListenerSet"),
    ("gateway.networking.x-k8s.io", "XListenerSet"),
    ("networking.cfargotunnel.com", "TunnelBinding"),
    ("ingress.k8s.ngrok.com", "*"),
];

/// Whether objects of a kind open doors.
pub fn opens_doors(group: &str, kind: &str) -> bool {
    let is_meant = |row: &&(&str, &str)| row.0 == group && (row.1 == kind || row.1 == "*");
    KINDS.iter().any(|row| is_meant(&row))
}
