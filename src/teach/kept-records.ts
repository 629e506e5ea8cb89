/** Encoded answers that wait for being asked for: a bounded memory that forgets first what was asked for already. */

/** The records of one view by kind. */
export type ViewRecords = ReadonlyMap<string, Uint8Array>;

export interface KeptRecords {
  /** The records of a view, which from now on are the first to be forgotten; undefined where there are none. */
  take(name: string): ViewRecords | undefined;
  /** Keeps the records of a view; `asked` for what is needed no more for now. Forgets others where the bytes exceed. */
  put(name: string, records: ViewRecords, asked: boolean): void;
}

const bytesOf = (records: ViewRecords): number =>
  [...records.values()].reduce((sum, record) => sum + record.byteLength, 0);

/** Makes a memory of at most `limit` bytes. */
export function keptRecords(limit: number): KeptRecords {
  // In the order in which they are forgotten: all of `asked`, then `fresh`, each from its oldest.
  const asked = new Map<string, ViewRecords>();
  const fresh = new Map<string, ViewRecords>();
  let bytes = 0;
  const forget = (from: Map<string, ViewRecords>, name: string): void => {
    bytes -= bytesOf(from.get(name) ?? new Map());
    from.delete(name);
  };
  const shrink = (): void => {
    for (const map of [asked, fresh]) {
      for (const name of map.keys()) {
        if (bytes <= limit) return;
        forget(map, name);
      }
    }
  };
  const put = (name: string, records: ViewRecords, isAsked: boolean): void => {
    forget(asked, name);
    forget(fresh, name);
    (isAsked ? asked : fresh).set(name, records);
    bytes += bytesOf(records);
    shrink();
  };
  return {
    put,
    take: (name) => {
      const records = fresh.get(name) ?? asked.get(name);
      if (records !== undefined) put(name, records, true);
      return records;
    },
  };
}
