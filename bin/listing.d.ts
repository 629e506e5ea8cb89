export declare const SOURCES: readonly string[];
export declare const STAMP: string;
export declare const listing: (root: string) => string;
export declare const isFresh: (root: string) => boolean;
