/** The option `--data`, worded once for every step that reads images. */
import { z } from 'zod';

/** What `readDataset` takes as its `data`. */
export const dataOption = z
  .string()
  .describe(
    'data yaml of YOLO; folder with images/ and labels/, with json files of COCO, or with xml files of Pascal VOC; ' +
      'or one json file of COCO',
  );
