import { describe, it } from "vitest";
import { checkEndpoint } from "../../src/egress/guard.ts";

const POLICY = { allowInsecure: false, ownHosts: ["sluice.example.com", "sluice-eu.acme.workers.dev"] };
const ALLOWED_AT_HOME = { ...POLICY, allowInsecure: true };

const isAllowed = (url: string, policy = POLICY) => checkEndpoint(url, policy).ok;

const PRIVATE_IPV4 = [
  "0.0.0.0",
  "0.1.2.3",
  "0.255.255.255",
  "10.0.0.0",
  "10.0.0.1",
  "10.255.255.255",
  "100.64.0.0",
  "100.64.0.1",
  "100.100.100.200",
  "100.127.255.255",
  "127.0.0.0",
  "127.0.0.1",
  "127.1.2.3",
  "127.255.255.254",
  "168.63.129.16",
  "169.254.0.1",
  "169.254.169.254",
  "169.254.170.2",
  "169.254.255.255",
  "172.16.0.0",
  "172.16.0.1",
  "172.20.10.5",
  "172.31.255.255",
  "192.0.0.1",
  "192.0.0.192",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.1",
  "192.168.1.1",
  "192.168.255.255",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.7",
  "203.0.113.9",
  "224.0.0.1",
  "239.255.255.250",
  "240.0.0.1",
  "254.1.1.1",
  "255.255.255.255",
];

/** Other spellings of the same addresses; `URL` makes dotted decimal of each. */
const SPELLINGS = [
  "2130706433",
  "0x7f000001",
  "0X7F000001",
  "017700000001",
  "0x7f.1",
  "0x7f.0.0.1",
  "127.1",
  "127.0.1",
  "0177.0.0.1",
  "0177.1",
  "0x7f.0x0.0x0.0x1",
  "00000177.0.0.1",
  "127.0.0.0x1",
  "127.0.0.1.",
  "0",
  "0x0",
  "00",
  "1",
  "0.1",
  "2852039166",
  "0xa9fea9fe",
  "0xA9.0xFE.0xA9.0xFE",
  "0251.0376.0251.0376",
  "025177524776",
  "169.254.43518",
  "169.16689662",
  "0xa9.254.0251.0xfe",
  "3232235521",
  "0xc0a80001",
  "0300.0250.0.1",
  "192.168.1",
  "167772161",
  "0x0a000001",
  "012.0.0.1",
  "10.1",
  "2886729729",
  "0xac100001",
  "172.1048577",
  "1681915905",
  "3758096385",
  "4294967295",
  "0xffffffff",
  "037777777777",
  "１２７.0.0.1",
  "127。0。0。1",
  "127．0．0．1",
  "①②⑦.0.0.1",
  "%31%32%37.0.0.1",
  "127.0.0.%31",
  "%30x7f.1",
  "１６９.254.169.254",
];

const PRIVATE_IPV6 = [
  "[::]",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[0000:0000:0000:0000:0000:0000:0000:0001]",
  "[::0:1]",
  "[0::1]",
  "[::127.0.0.1]",
  "[::7f00:1]",
  "[::10.0.0.1]",
  "[::192.168.0.1]",
  "[::a9fe:a9fe]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::FFFF:169.254.169.254]",
  "[::ffff:a9fe:a9fe]",
  "[::ffff:10.0.0.1]",
  "[::ffff:0:127.0.0.1]",
  "[0:0:0:0:0:ffff:c0a8:1]",
  "[::ffff:0.0.0.0]",
  "[::ffff:100.64.0.1]",
  "[64:ff9b::127.0.0.1]",
  "[64:ff9b::a9fe:a9fe]",
  "[64:ff9b::10.0.0.1]",
  "[64:ff9b:1::1]",
  "[64:ff9b:1::a00:1]",
  "[2002:7f00:1::]",
  "[2002:a00:1::1]",
  "[2002:c0a8:101::]",
  "[2002:a9fe:a9fe::]",
  "[2002:6440:1::]",
  "[fc00::]",
  "[fc00::1]",
  "[fd00::1]",
  "[fd00:ec2::254]",
  "[fdff:ffff::1]",
  "[fe80::]",
  "[fe80::1]",
  "[febf::1]",
  "[fec0::1]",
  "[ff00::]",
  "[ff02::1]",
  "[ff0e::1]",
  "[100::1]",
  "[100:0:0:1::1]",
  "[200::1]",
  "[4000::1]",
  "[5f00::1]",
  "[e000::1]",
  "[2001::1]",
  "[2001:0:53aa:64c::]",
  "[2001:10::1]",
  "[2001:20::1]",
  "[2001:1ff::1]",
  "[2001:db8::1]",
  "[2001:DB8:1:2::3]",
  "[3fff::1]",
  "[3fff:fff::1]",
  "[2620:4f:8000::1]",
];

const PRIVATE_NAMES = [
  "localhost",
  "LOCALHOST",
  "localhost.",
  "app.localhost",
  "a.b.localhost",
  "localhost.localdomain",
  "printer.local",
  "router.lan",
  "splunk.internal",
  "metadata.google.internal",
  "METADATA.google.internal",
  "metadata.google.internal.",
  "instance-data.ec2.internal",
  "nas.home.arpa",
  "home.arpa",
  "siem.corp",
  "siem.intranet",
  "siem.home",
  "db.private",
  "metadata",
  "splunk",
  "kubernetes",
  "kubernetes.default.svc.cluster.local",
  "com",
  "siem.example.com.",
  "siem..example.com",
  "127.0.0.1.nip.io",
  "10-0-0-1.sslip.io",
  "foo.localtest.me",
  "lvh.me",
  "sluice.example.com",
  "SLUICE.example.com",
  "sluice.example.com.",
  "sluice-eu.acme.workers.dev",
  "ｌｏｃａｌｈｏｓｔ",
  "%6c%6f%63alhost",
];

const PUBLIC = [
  "hec.splunk.example.com:8088",
  "http-inputs-acme.splunkcloud.com",
  "http-intake.logs.datadoghq.eu/api/v2/logs",
  "siem.example.com",
  "siem.example.com/services/collector?x=1",
  "other.acme.workers.dev",
  "notsluice.example.com",
  "xn--bcher-kva.example",
  "bücher.example",
  "localhost.example.com",
  "internal.example.com",
  "mylocal.net",
  "nipxio.com",
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.1",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.1",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "203.0.112.255",
  "203.0.114.0",
  "223.255.255.255",
  "134744072",
  "0x08080808",
  "010.8.8.8",
  "[2606:4700::1111]",
  "[2001:4860:4860::8888]",
  "[2a00:1450:4001::200e]",
  "[::ffff:8.8.8.8]",
  "[64:ff9b::8.8.8.8]",
  "[2002:808:808::1]",
  "[2001:200::1]",
  "[3fff:1000::1]",
];

describe("an address may not be called", () => {
  it.for([...PRIVATE_IPV4, ...SPELLINGS, ...PRIVATE_IPV6])("when it is %s", (host, { expect }) => {
    expect(isAllowed(`https://${host}/services/collector`)).toBe(false);
    expect(isAllowed(`https://${host}:8088`)).toBe(false);
  });

  it.for(PRIVATE_NAMES)("when it is named %s", (host, { expect }) => {
    expect(isAllowed(`https://${host}`)).toBe(false);
    expect(isAllowed(`https://${host}:8088/services/collector`)).toBe(false);
  });

  it.for([
    "http://siem.example.com",
    "HTTP://siem.example.com",
    "ftp://siem.example.com",
    "file:///etc/passwd",
    "ws://siem.example.com",
    "javascript:alert(1)",
    "data:text/plain,x",
    "gopher://siem.example.com",
    "blob:https://siem.example.com/x",
    "about:blank",
    "",
    " ",
    "siem.example.com",
    "//siem.example.com",
    "https://",
    "https:// siem.example.com",
    "https://[::1",
    "https://1.2.3.4.5",
    "https://256.1.1.1",
    "https://siem.example.com:99999",
    "https://a b.example.com",
    "https://exa<mple.com",
    "https://user@siem.example.com",
    "https://user:password@siem.example.com",
    "https://:password@siem.example.com",
    "https://siem.example.com@127.0.0.1",
    "https://127.0.0.1#@siem.example.com",
    "https://127.0.0.1?@siem.example.com",
    "https://127.0.0.1\\@siem.example.com",
    "https:\\\\127.0.0.1",
    "https:127.0.0.1",
    "https:///127.0.0.1",
    "https://127.0.0.1%2f.example.com",
  ])("when it is written %j", (url, { expect }) => {
    expect(isAllowed(url)).toBe(false);
  });
});

describe("an address may be called", () => {
  it.for(PUBLIC)("when it is %s", (host, { expect }) => {
    expect(checkEndpoint(`https://${host}`, POLICY)).toMatchObject({ ok: true });
  });
});

describe("local work", () => {
  it.for([
    "http://127.0.0.1:8190/dd",
    "https://localhost",
    "http://splunk:8088",
    "https://[::1]",
    "http://10.0.0.1",
    "https://sluice.example.com",
  ])("may call %s", (url, { expect }) => {
    expect(isAllowed(url, ALLOWED_AT_HOME)).toBe(true);
  });

  it.for([
    "ftp://127.0.0.1",
    "file:///etc/passwd",
    "http://user:pw@127.0.0.1",
    "http://user@localhost",
    "127.0.0.1",
    "",
  ])("may still not call %j", (url, { expect }) => {
    expect(isAllowed(url, ALLOWED_AT_HOME)).toBe(false);
  });
});

describe("the answer", () => {
  it("is the address as it will be called, parsed", ({ expect }) => {
    const checked = checkEndpoint("HTTPS://Siem.Example.com:443/a/../b?c#d", POLICY);
    expect(checked.ok && checked.value.href).toBe("https://siem.example.com/b?c#d");
  });

  it("says what was expected in a sentence, without the credentials", ({ expect }) => {
    const reason = (url: string) => {
      const checked = checkEndpoint(url, POLICY);
      return checked.ok ? "" : checked.error;
    };
    expect(reason("https://169.254.169.254")).toBe(
      "Expected a host on the public internet: this address is link-local",
    );
    expect(reason("https://[::ffff:10.0.0.1]")).toMatch(/private$/);
    expect(reason("https://sluice.example.com")).toMatch(/the relay itself$/);
    expect(reason("http://siem.example.com")).toMatch(/https:\/\//);
    expect(reason("https://user:hunter2@siem.example.com")).not.toContain("hunter2");
  });

  it("knows its own hosts with a port or a dot at the end", ({ expect }) => {
    const policy = {
      allowInsecure: false,
      ownHosts: ["Relay.example.com:8787", "r2.example.com.", "8.8.4.4"],
    };
    for (const host of ["relay.example.com", "relay.example.com:443", "r2.example.com", "8.8.4.4"])
      expect(isAllowed(`https://${host}`, policy)).toBe(false);
    expect(isAllowed("https://sub.relay.example.com", policy)).toBe(true);
  });
});
