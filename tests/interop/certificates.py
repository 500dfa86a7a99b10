"""An authority and a certificate for localhost, 127.0.0.1 and ::1, made for one run."""
import subprocess

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(folder, *words):
    subprocess.run(["/usr/bin/openssl", *words], cwd=folder, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)


def make(folder):
    """ca.pem, cert.pem and key.pem; both.pem has certificate and key, as haproxy wants them."""
    openssl(folder, "req", "-x509", *KEY, "-days", "2", "-subj", "/CN=coho interop authority", "-keyout", "ca.key",
            "-out", "ca.pem", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl(folder, "req", *KEY, "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "request.pem", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1", "-addext", "basicConstraints=critical,CA:FALSE",
            "-addext", "extendedKeyUsage=serverAuth")
    openssl(folder, "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-copy_extensions", "copy", "-out", "cert.pem")
    (folder / "both.pem").write_bytes((folder / "cert.pem").read_bytes() + (folder / "key.pem").read_bytes())
