/** Whether a version of two numbers (`2.27`) is older than another. */
export const isOlder = (version: string, than: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = than.split('.').map(Number);
  return major !== otherMajor ? major < otherMajor : minor < otherMinor;
};
