/** The Python that reads shards in tests. */
import { pythonWith, type FoundPython } from '../python.ts';

export const pythonWithMsgpack = (): FoundPython => pythonWith('msgpack', ['msgpack']);
