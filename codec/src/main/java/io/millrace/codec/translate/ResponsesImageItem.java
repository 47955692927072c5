package io.millrace.codec.translate;

/** Writes an image that the model made. */
final class ResponsesImageItem extends ResponsesItem {
    private final Part.Media image;

    ResponsesImageItem(ResponsesWriter out, String id, int outputIndex, Part.Media image) {
        super(out, id, outputIndex);
        this.image = image;
        added();
        for (String step : new String[] {"in_progress", "generating", "completed"}) {
            event("response.image_generation_call." + step);
            out.send();
        }
    }

    @Override
    void close(boolean complete) {
        status = "completed";
        done();
    }

    @Override
    void put(JsonText json) {
        json.put("id", id).put("type", "image_generation_call").put("status", status);
        if (status.equals("completed")) {
            json.put("output_format", image.mediaType().substring("image/".length()))
                    .put("result", image.data());
        } else {
            json.putNull("result");
        }
    }
}
