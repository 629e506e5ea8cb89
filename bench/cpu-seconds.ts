/** CPU time of this process, all its threads together. */

/** CPU seconds that `work` took, user and system. Nothing else may work in this process meanwhile. */
export const cpuSeconds = async (work: () => unknown): Promise<number> => {
  const begin = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1e6;
};
