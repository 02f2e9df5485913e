"""DeepFabric's platform: the events of a training, as its own callback sends them, but never lost.

    trainer -> callback.py -> the store's outbox -> forwarder.py -> POST /api/v1/training/runs, /metrics

    run_start     /runs      {event_type, run_id, model_name, training_config, state, started_at, timestamp}
    metrics       /metrics   {metrics: [{run_id, global_step, epoch, timestamp, type: log|eval|checkpoint, metrics}]}
    run_end       /runs      {event_type, run_id, final_step, final_epoch, total_flos, best_metric,
                              best_model_checkpoint, completed_at, timestamp}

The training only writes to the store, so nothing of it waits for the network and an outage loses nothing.
"""
