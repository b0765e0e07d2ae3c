# Who each part is to Google Cloud. An account may do what stands beside the thing that it is done to: objects in objects.tf,
# secrets in secrets.tf. None of them has a key, and none has a right on the whole project.

resource "google_service_account" "roles" {
  for_each = {
    api      = "Slipway: answers requests"
    worker   = "Slipway: publishes what was uploaded"
    queue    = "Slipway: runs RabbitMQ"
    database = "Slipway: makes the database, once"
  }

  account_id   = "${var.name}-${each.key}"
  display_name = each.value

  depends_on = [google_project_service.apis]
}
