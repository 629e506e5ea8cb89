/**
 * Where the files of a cache lie. Nothing beyond put-if-absent, ranged get, list and delete is assumed, so that a
 * folder and an object store serve alike. Names are checked by `storeName`.
 */

/** An object that is being written and that nobody sees before it is committed. */
export interface PendingObject {
  /** Appends bytes; resolves when more may come. The bytes may be reused after it resolves. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the object appear whole and durable, unless the name is taken; then what is there stays. */
  commit(): Promise<'created' | 'exists'>;
  /** As `commit`, in the place of what is there; where a store cannot, the name is free for a moment (`replace`). */
  replace?(): Promise<void>;
  /** Forgets what was written. Does nothing after `commit`. */
  abort(): Promise<void>;
}

/** Every method throws E_CACHE_FORMAT on a bad name, E_FILE on a failure beneath, E_DISK_FULL when space is out. */
export interface Store {
  /** Names the store for a person: a folder, a URL. */
  readonly label: string;
  /** Creates the object whole and durable, unless the name is taken; then what is there stays as it is. */
  putIfAbsent(name: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  /** As `putIfAbsent`, for an object larger than memory should hold. */
  openWrite(name: string): Promise<PendingObject>;
  /** The whole object, or undefined when there is none. */
  get(name: string): Promise<Uint8Array | undefined>;
  /**
   * `length` bytes from `offset`, in a buffer of their own (so that what is aligned in the object is aligned in
   * memory). Throws E_CACHE_CORRUPT when there is no such object or it ends before, and allocates nothing then.
   */
  getRange(name: string, offset: number, length: number): Promise<Uint8Array>;
  /** Size in bytes, or undefined when there is no such object. */
  size(name: string): Promise<number | undefined>;
  /** All names below a prefix ('' or one ending in '/'), in byte order. Pending objects are not listed. */
  list(prefix: string): Promise<readonly string[]>;
  /** Removes an object; nothing happens when there is none. */
  delete(name: string): Promise<void>;
  /** Removes what interrupted writers left behind. Only for who knows that no other writer is at work. */
  sweep(): Promise<void>;
}
