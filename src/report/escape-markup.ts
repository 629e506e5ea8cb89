/** Text made safe for HTML and XML, in content and in quoted attributes. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
// What XML 1.0 has no way to write: control characters but tab, line feed and return, and two non-characters.
// eslint-disable-next-line no-control-regex
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Escapes the five special characters; what XML cannot hold (controls, lone surrogates) becomes U+FFFD. */
export const escapeMarkup = (text: string): string =>
  text
    .replace(LONE_SURROGATE, '\ufffd')
    .replace(UNWRITABLE, '\ufffd')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
