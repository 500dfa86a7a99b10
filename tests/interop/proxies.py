"""nginx and haproxy in front of a WebSocket server."""
import contextlib
import pathlib
import tempfile

import ports

NGINX = """\
daemon off;
master_process off;
error_log stderr;
pid {home}/pid;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  server {{
    listen 127.0.0.1:{port}{listen_tls};
    {certificate}
    location / {{
      proxy_pass {backend};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      {trust}
    }}
  }}
}}
"""

HAPROXY = """\
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 60s
frontend outside
  bind 127.0.0.1:{port}{listen_tls}
  default_backend inside
backend inside
  server one {backend}{trust}
"""


def nginx_words(home, folder, port, target, outside, inside):
    text = NGINX.format(
        home=home, port=port, listen_tls=" ssl" if outside else "",
        certificate=f"ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;" if outside else "",
        backend=f"http{'s' if inside else ''}://{target}",
        trust=(f"proxy_ssl_trusted_certificate {folder}/ca.pem; proxy_ssl_verify on; proxy_ssl_name localhost; "
               "proxy_ssl_server_name on;") if inside else "")
    (home / "nginx.conf").write_text(text, encoding="utf-8")
    return ["/usr/sbin/nginx", "-p", home, "-e", "stderr", "-c", home / "nginx.conf"]


def haproxy_words(home, folder, port, target, outside, inside):
    text = HAPROXY.format(
        port=port, listen_tls=f" ssl crt {folder}/both.pem" if outside else "", backend=target,
        trust=f" ssl verify required ca-file {folder}/ca.pem sni str(localhost)" if inside else "")
    (home / "haproxy.cfg").write_text(text, encoding="utf-8")
    return ["/usr/sbin/haproxy", "-db", "-q", "-f", home / "haproxy.cfg"]


WORDS = {"nginx": nginx_words, "haproxy": haproxy_words}
NAMES = tuple(WORDS)


@contextlib.contextmanager
def standing(name, folder, target, outside, inside):
    """The proxy in front of target ("127.0.0.1:PORT"); yields its port. outside and inside: TLS there."""
    with tempfile.TemporaryDirectory(prefix="coho-interop-") as home:
        proxy, port = ports.start(lambda port: WORDS[name](pathlib.Path(home), folder, port, target, outside, inside))
        try:
            yield port
        finally:
            proxy.stop()
