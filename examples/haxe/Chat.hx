// A client of the chat: calls in both directions, and a stream of data that it publishes and plays.
import flash.events.NetStatusEvent;
import flash.net.NetConnection;
import flash.net.NetStream;
import flash.net.Responder;

class Chat {
  static function main() {
    var vars = flash.Lib.current.loaderInfo.parameters;
    var server:String = Reflect.field(vars, "server");
    var name:String = Reflect.field(vars, "name");
    new Chat(server != null ? server : "rtmfp://localhost", name != null ? name : "Anna");
  }

  final connection = new NetConnection();
  final name:String;
  // Keeps references, without which streams end.
  var published:NetStream;
  var played:NetStream;

  function new(server:String, name:String) {
    this.name = name;
    // The script calls these by client.writer:writeAMFMessage
    connection.client = {
      onSaid: function(who:String, text:String) trace(who + ": " + text),
      onJoined: function(who:String) trace(who + " is here"),
      onLeft: function(who:String) trace(who + " has left"),
      onWhispered: function(who:String, text:String) trace(who + " whispers: " + text),
      close: function() trace("refused"),
    };
    connection.addEventListener(NetStatusEvent.NET_STATUS, onStatus);
    connection.connect(server + "/chat", name); // onConnection(client, name)
  }

  function onStatus(event:NetStatusEvent) {
    trace(event.info.code + " " + event.info.description);
    if (event.info.code != "NetConnection.Connect.Success") return;
    // function client:say(text) in the script; its result is the answer
    connection.call("say", new Responder(
      function(heard:Int) trace("heard by " + heard),
      function(status:Dynamic) trace("failed: " + status.description)
    ), "Hello!");
    play();
  }

  function play() {
    played = new NetStream(connection);
    played.client = { onNote: function(text:String) trace("played: " + text) };
    played.addEventListener(NetStatusEvent.NET_STATUS, function(event:NetStatusEvent) {
      if (event.info.code == "NetStream.Play.Start") publish();
    });
    played.play("note of " + name);
  }

  function publish() {
    published = new NetStream(connection);
    published.addEventListener(NetStatusEvent.NET_STATUS, function(event:NetStatusEvent) {
      if (event.info.code == "NetStream.Publish.Start") {
        published.send("onNote", "three blind mice");
      }
    });
    published.publish("note of " + name);
  }
}
