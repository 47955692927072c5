package io.millrace.codec.translate;

/** Writes an image that the model made. */
final class ResponsesImageItem implements ResponsesItem {
    private final ResponsesWriter out;
    private final String id;
    private final int outputIndex;
    private final Part.Media image;

    private boolean done;

    ResponsesImageItem(ResponsesWriter out, String id, int outputIndex, Part.Media image) {
        this.out = out;
        this.id = id;
        this.outputIndex = outputIndex;
        this.image = image;
        out.itemEvent("response.output_item.added", outputIndex, this);
        for (String step : new String[] {"in_progress", "generating", "completed"}) {
            out.begin("response.image_generation_call." + step)
                    .put("item_id", id)
                    .put("output_index", outputIndex);
            out.send();
        }
    }

    @Override
    public void close(boolean complete) {
        done = true;
        out.itemEvent("response.output_item.done", outputIndex, this);
    }

    @Override
    public void put(JsonText json) {
        json.put("id", id).put("type", "image_generation_call").put("status", done ? "completed" : "in_progress");
        if (done) {
            json.put("output_format", image.mediaType().substring("image/".length()))
                    .put("result", image.data());
        } else {
            json.putNull("result");
        }
    }
}
